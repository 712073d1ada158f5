using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Weight decay towards the weights that training began with (Li, Grandvalet, Davoine: "Explicit Inductive Bias for Transfer Learning with Convolutional
/// Networks", ICML 2018), decoupled from the gradient as in AdamW: w -= rate x decay x (w - w0). Of the weights that decay, those that were read:
/// what was drawn, an adapter's matrices among it, has nothing to go back to.
/// </summary>
internal sealed unsafe class PretrainedPull : IDisposable
{
    private readonly double _decay;
    private readonly WeightStore _store;
    private readonly List<(Weight Weight, double RateFactor)> _weights;
    private readonly Tensor _start;

    /// <summary>Copies the weights as they are.</summary>
    /// <param name="model">As it was loaded.</param>
    /// <param name="decay">As <c>decay_to_pretrained</c>.</param>
    /// <param name="rateFactorOf">As <see cref="Optimizer.RateFactorOf"/>: the decay follows the rate of each weight.</param>
    internal PretrainedPull(PreTrainedModel model, double decay, Func<Weight, double>? rateFactorOf = null)
    {
        (_decay, _store) = (decay, model.Weights);
        var drawn = model.LoadReport.Drawn;
        _weights = [.. model.Weights.All.Where(weight => weight is { RequiresGrad: true, Decays: true, IsAdapter: false } && !drawn.Contains(weight.Name))
            .Select(weight => (weight, rateFactorOf?.Invoke(weight) ?? 1))];
        _start = LibTorch.Empty(_weights.Sum(pulled => pulled.Weight.NumberOfElements));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var to = LibTorch.Floats(_start);
        foreach (var (weight, _) in _weights)
        {
            var values = new ReadOnlySpan<float>(weight.Data, checked((int)weight.NumberOfElements));
            values.CopyTo(new Span<float>(to, values.Length));
            hash.AppendData(MemoryMarshal.AsBytes(values));
            to += values.Length;
        }
        Fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>SHA-256 of the weights that training began with, in hexadecimal digits: a run that goes on must begin with the same.</summary>
    internal string Fingerprint { get; }

    /// <summary>Makes the decay of one update, before the optimizer's own step.</summary>
    internal void Apply(double learningRate)
    {
        var start = LibTorch.Floats(_start);
        foreach (var (weight, rateFactor) in _weights)
        {
            var factor = (float)(learningRate * rateFactor * _decay);
            float* values = weight.Data, first = start;
            CpuLoop.Stretches(weight.NumberOfElements, 3, (from, end) => Vectors.MoveTowards(values + from, first + from, factor, end - from));
            start += weight.NumberOfElements;
        }
        _store.SetChanged();
    }

    public void Dispose() => _start.Dispose();
}
