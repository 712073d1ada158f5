using System.Diagnostics;
using System.Text.Json.Nodes;
using Attune.Kernels;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>
/// What a training step cannot be faster than on this machine: its matrix products, alone and in its own shapes, at the rate of the fastest
/// kernels at hand, and the optimizer's bytes at the rate of a copy.
/// </summary>
internal static class StepLimit
{
    /// <summary>Bytes that AdamW moves for each weight: value, gradient and two moments read, all but the gradient written.</summary>
    private const int OptimizerBytes = 7 * sizeof(float);

    private static readonly Dictionary<(long From, long To, int Times), (Tensor Weight, Tensor Gradient)[]> KeptLayers = [];

    private const int CopyElements = 1 << 26, CopyRounds = 3, ProductRounds = 2;

    /// <param name="config">The model.</param>
    /// <param name="weights">How many it has.</param>
    /// <param name="tokens">Real tokens of a batch.</param>
    /// <param name="rows">Its rows.</param>
    /// <returns>Seconds of the products and their rate, and seconds of the optimizer's bytes.</returns>
    internal static JsonObject Measure(BertConfig config, long weights, int tokens, int rows) => Measure(Linears(config, tokens, rows), weights);

    /// <summary>The same of a step that finds hidden tokens.</summary>
    /// <param name="config">The model.</param>
    /// <param name="weights">How many it has; the decoder gives every row of the embeddings a gradient.</param>
    /// <param name="tokens">Tokens of a batch.</param>
    /// <param name="hidden">How many of them are hidden.</param>
    internal static JsonObject MeasureMasked(BertConfig config, long weights, int tokens, int hidden) => Measure(MaskedLinears(config, tokens, hidden), weights);

    private static JsonObject Measure((long Lines, long In, long Out, int Times)[] linears, long weights)
    {
        var (seconds, operations) = (Products(linears, isForwardOnly: false), linears.Sum(linear => 6.0 * linear.Lines * linear.In * linear.Out * linear.Times));
        return new()
        {
            ["product_seconds"] = seconds,
            ["product_gflops"] = operations / seconds / 1e9,
            ["optimizer_seconds"] = OptimizerSeconds(weights),
        };
    }

    /// <summary>How long a copy takes that moves as many bytes as AdamW must.</summary>
    internal static double OptimizerSeconds(long weights) => OptimizerBytes * (double)weights / CopyRate();

    /// <summary>
    /// Bytes read and written each second where memory is the limit: the better of a copy and of a pass in place, which does not fetch what it
    /// overwrites, as the optimizer does not.
    /// </summary>
    private static double CopyRate()
    {
        using var from = zeros(CopyElements);
        using var to = zeros(CopyElements);
        var best = double.MaxValue;
        for (var round = 0; round < CopyRounds; round++)
        {
            best = Math.Min(best, Seconds(() => to.copy_(from)));
            best = Math.Min(best, Seconds(() => to.mul_(1f)));
        }
        return 2.0 * sizeof(float) * CopyElements / best;
    }

    private static double Seconds(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalSeconds;
    }

    /// <summary>Seconds of the products of a forward pass alone.</summary>
    /// <param name="config">The model.</param>
    /// <param name="tokens">Real tokens of a batch.</param>
    /// <param name="rows">Its rows.</param>
    internal static double ForwardSeconds(BertConfig config, int tokens, int rows) => Products(Linears(config, tokens, rows), isForwardOnly: true);

    /// <summary>
    /// The linear layers. The last layer of the encoder asks only for the first token of each row, as Attune does; so these are what a
    /// classifier needs and no more.
    /// </summary>
    private static (long Lines, long In, long Out, int Times)[] Linears(BertConfig config, int tokens, int rows)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        var whole = config.NumHiddenLayers - 1;
        return
        [
            (tokens, hidden, 3 * hidden, whole), (tokens, hidden, hidden, whole), (tokens, hidden, inner, whole), (tokens, inner, hidden, whole),
            (tokens, hidden, 2 * hidden, 1), (rows, hidden, hidden, 2), (rows, hidden, inner, 1), (rows, inner, hidden, 1),
        ];
    }

    /// <summary>The same where hidden tokens are asked for: the head, and of the last layer all but keys and values, at these alone.</summary>
    private static (long Lines, long In, long Out, int Times)[] MaskedLinears(BertConfig config, int tokens, int masked)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        var whole = config.NumHiddenLayers - 1;
        return
        [
            (tokens, hidden, 3 * hidden, whole), (tokens, hidden, hidden, whole), (tokens, hidden, inner, whole), (tokens, inner, hidden, whole),
            (tokens, hidden, 2 * hidden, 1), (masked, hidden, hidden, 3), (masked, hidden, inner, 1), (masked, inner, hidden, 1), (masked, hidden, config.VocabSize, 1),
        ];
    }

    /// <summary>Seconds of all products, those of each layer by libtorch or by Attune's own tiles, whichever is faster.</summary>
    private static double Products((long Lines, long In, long Out, int Times)[] linears, bool isForwardOnly)
    {
        var seconds = 0.0;
        foreach (var (lines, from, to, times) in linears)
        {
            if (times == 0) continue;
            using var scope = NewDisposeScope();
            Tensor x = rand(lines, from), y = rand(lines, to), outputs = empty(lines, to), inputs = empty(lines, from);
            var layers = Layers(from, to, times);
            var best = double.MaxValue;
            foreach (var multiply in (Action<Tensor, Tensor, Tensor>[])[(a, b, c) => c.addmm_(a, b, beta: 0, alpha: 1), (a, b, c) => MatrixProduct.Multiply(a, b, c)])
                for (var round = 0; round <= ProductRounds; round++)
                {
                    var clock = Stopwatch.StartNew();
                    foreach (var (weight, gradient) in layers)
                    {
                        using Tensor transposed = weight.t(), yTransposed = y.t();
                        multiply(x, transposed, outputs);
                        if (isForwardOnly) continue;
                        multiply(y, weight, inputs);
                        multiply(yTransposed, x, gradient);
                    }
                    if (round > 0) best = Math.Min(best, clock.Elapsed.TotalSeconds);
                }
            seconds += best;
        }
        return seconds;
    }

    /// <summary>Weights and gradients of their own for each layer, so that no cache holds them that would not in a step; kept for the next time.</summary>
    private static (Tensor Weight, Tensor Gradient)[] Layers(long from, long to, int times)
    {
        if (KeptLayers.TryGetValue((from, to, times), out var layers)) return layers;
        return KeptLayers[(from, to, times)] = [.. Enumerable.Range(0, times)
            .Select(_ => (rand(to, from).DetachFromDisposeScope(), zeros(to, from).DetachFromDisposeScope()))];
    }
}
