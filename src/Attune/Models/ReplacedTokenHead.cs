using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, H hidden size.

/// <summary>States to one logit for each token, of having been replaced: act(dense), then a linear layer.</summary>
/// <param name="store">Where its weights are declared.</param>
/// <param name="name">Of the head in the file of weights.</param>
/// <param name="config">Of the model.</param>
internal sealed unsafe class ReplacedTokenHead(WeightStore store, string name, PreTrainedConfig config) : IDisposable
{
    private readonly Pooler pooler = new(store, name + ".dense", config.HiddenSize, Activation.Named(config.HiddenAct));
    private readonly Linear prediction = new(store, name + ".dense_prediction", config.HiddenSize, 1);

    /// <param name="states">(T,H); belongs to what is returned from now on.</param>
    /// <param name="lines">What the lines are.</param>
    internal Saved Forward(Tensor states, Sequences.Lines lines)
    {
        using var time = Profiler.Measure("head");
        var pass = new LoraLayer.Pass(lines, DropoutKey: null);
        var transformed = pooler.Forward(states, pass, out var sum);                                                   // (T,H)
        var logits = prediction.Forward(transformed, pass);                                                            // (T,1)
        EmbeddingSum.AddToLines(LibTorch.Floats(logits), lines.Count, columns: 1, prediction.Bias);
        return new Saved(states, sum, transformed, logits, lines);
    }

    /// <summary>Adds the gradients of the head's weights.</summary>
    /// <param name="saved">From forward, its logits replaced by their gradient; disposed.</param>
    /// <returns>(T,H), the gradient of the states.</returns>
    internal Tensor Backward(Saved saved)
    {
        using var ownership = saved;
        using var time = Profiler.Measure("head");
        var pass = new LoraLayer.Pass(saved.Lines, DropoutKey: null);
        prediction.AddBiasGradient(saved.Logits);
        prediction.AddWeightGradient(saved.Logits, saved.Transformed, pass);
        using var transformed = prediction.InputGradient(saved.Logits, pass);                                          // (T,H)
        return pooler.Backward(saved.States, saved.Sum, transformed, pass, wantsInputGradient: true)!;
    }

    public void Dispose()
    {
        pooler.Dispose();
        prediction.Dispose();
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    /// <param name="States">(T,H).</param>
    /// <param name="Sum">(T,H), before the activation.</param>
    /// <param name="Transformed">(T,H), behind it.</param>
    /// <param name="Logits">(T,1).</param>
    /// <param name="Lines">What the lines are.</param>
    internal sealed record Saved(Tensor States, Tensor Sum, Tensor Transformed, Tensor Logits, Sequences.Lines Lines) : IDisposable
    {
        public void Dispose()
        {
            foreach (var tensor in (ReadOnlySpan<Tensor>)[States, Sum, Transformed, Logits]) tensor.Dispose();
        }
    }
}
