using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, H hidden size.

/// <summary>
/// The parts of an encoder but the last (embeddings, then layers), between which a pass on a device is cut: backward goes through them one by one, the last first, and says of each when it is done.
/// With gradient_checkpointing their outputs alone are kept: backward computes each part again from the output of the one before, and draws the same again. The last part is never cut off, as
/// backward begins with it, before the others take memory again.
/// </summary>
/// <param name="encoder">That of the processor, which knows how the run computes.</param>
/// <param name="compute">A part by its number, from what the one before gives, null for the embeddings: (T,H) -> (T,H).</param>
internal sealed class DeviceSegments(Encoder encoder, Func<int, Tensor?, DevicePass, Tensor> compute) : IDisposable
{
    private readonly int _firstTrained = encoder.FrozenParts;
    private readonly bool _computesAgain = encoder.GradientCheckpointing;
    private readonly Stack<Tensor> _outputs = [];                          // from that of the last part that backward does not reach
    private readonly Stack<Tensor> _kept = [];                             // those that it reaches, with the way back; none where parts are computed again
    private DevicePass _pass;
    private Tensor? _numbers;
    private int _last = -1;

    /// <summary>Computes a part, and keeps of it what backward needs.</summary>
    /// <param name="part">Its number.</param>
    /// <param name="input">(T,H), null for the embeddings.</param>
    /// <param name="pass">The same for all.</param>
    /// <returns>(T,H), where the graph of what follows begins.</returns>
    internal Tensor Forward(int part, Tensor? input, DevicePass pass)
    {
        using var learning = set_grad_enabled(!_computesAgain);
        using var scope = NewDisposeScope();
        (_pass, _last) = (pass, part);
        var computed = Compute(part, input);
        var output = computed.detach();
        output.requires_grad = part >= _firstTrained;
        if (part >= _firstTrained - 1) _outputs.Push(output);
        if (part >= _firstTrained && !_computesAgain) _kept.Push(computed.MoveToOuterDisposeScope());
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Lives on past the dispose scope of the forward pass; dispose it.</summary>
    internal DeviceSegments Kept()
    {
        if (_last >= 0) _numbers = _pass.Batch.KeepNumbers();
        foreach (var tensor in _outputs.Concat(_kept)) _ = tensor.DetachFromDisposeScope();
        return this;
    }

    /// <summary>Goes back through all parts that it reaches, when the gradient of the last one's output is there.</summary>
    internal void Backward()
    {
        using var learning = enable_grad();
        for (var part = _last; part >= _firstTrained; part--)
        {
            using var scope = NewDisposeScope();
            var output = _outputs.Pop();
            var gradient = output.grad!;
            output.Dispose();                                              // before the part takes memory again
            // It has no way back where of the embeddings only what the layers' attention looks at is trained, a table of relative positions.
            using (var computed = _kept.TryPop(out var kept) ? kept : Compute(part, _outputs.TryPeek(out var input) ? input : null))
                if (computed.requires_grad) autograd.backward([computed], [gradient]);
            encoder.Done(part);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _outputs.Concat(_kept)) tensor.Dispose();
        _outputs.Clear();
        _kept.Clear();
        _numbers?.Dispose();
    }

    /// <summary>What parts share, such as a bias of relative positions, is each one's own here: going back through one must not undo the others' way.</summary>
    private Tensor Compute(int part, Tensor? input)
    {
        using var batch = _pass.Batch.Again();
        return compute(part, input, _pass with { Batch = batch });
    }
}
