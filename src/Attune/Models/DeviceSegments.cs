using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, H hidden size.

/// <summary>
/// The parts of an encoder but the last (embeddings, then layers), of which a pass on a device keeps the outputs alone: backward computes each part again from the output of the one before, the
/// last first, and draws the same again. The last part is kept whole, as backward begins with it, before the others take memory again.
/// </summary>
/// <param name="firstTrained">Number of the first part that backward reaches.</param>
/// <param name="compute">A part by its number, from what the one before gives, null for the embeddings: (T,H) -> (T,H).</param>
internal sealed class DeviceSegments(int firstTrained, Func<int, Tensor?, DevicePass, Tensor> compute) : IDisposable
{
    private readonly Stack<Tensor> _outputs = [];                          // from that of the last part that backward does not reach
    private DevicePass _pass;
    private Tensor? _numbers;
    private int _last = -1;

    /// <summary>Computes a part, and keeps its output where backward needs it.</summary>
    /// <param name="part">Its number.</param>
    /// <param name="input">(T,H), null for the embeddings.</param>
    /// <param name="pass">The same for all.</param>
    /// <returns>(T,H), where the graph of what follows begins.</returns>
    internal Tensor Forward(int part, Tensor? input, DevicePass pass)
    {
        using var still = no_grad();
        using var scope = NewDisposeScope();
        (_pass, _last) = (pass, part);
        var output = Compute(part, input).detach();
        output.requires_grad = part >= firstTrained;
        if (part >= firstTrained - 1) _outputs.Push(output);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Lives on past the dispose scope of the forward pass; dispose it.</summary>
    internal DeviceSegments Kept()
    {
        if (_last >= 0) _numbers = _pass.Batch.KeepNumbers();
        foreach (var output in _outputs) _ = output.DetachFromDisposeScope();
        return this;
    }

    /// <summary>Goes back through all parts that it reaches, when the gradient of the last one's output is there.</summary>
    internal void Backward()
    {
        using var learning = enable_grad();
        for (var part = _last; part >= firstTrained; part--)
        {
            using var scope = NewDisposeScope();
            var output = _outputs.Pop();
            var gradient = output.grad!;
            output.Dispose();                                              // before the part takes memory again
            var again = Compute(part, _outputs.TryPeek(out var input) ? input : null);
            // Not where of the embeddings only what the layers' attention looks at is trained, a table of relative positions.
            if (again.requires_grad) autograd.backward([again], [gradient]);
        }
    }

    public void Dispose()
    {
        while (_outputs.TryPop(out var output)) output.Dispose();
        _numbers?.Dispose();
    }

    private Tensor Compute(int part, Tensor? input)
    {
        using var batch = _pass.Batch.Again();
        return compute(part, input, _pass with { Batch = batch });
    }
}
