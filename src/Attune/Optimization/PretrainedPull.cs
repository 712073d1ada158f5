using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Weight decay towards the weights that training began with (Li, Grandvalet, Davoine: "Explicit Inductive Bias for Transfer Learning with Convolutional
/// Networks", ICML 2018), decoupled from the gradient as in AdamW: w -= rate x decay x (w - w0). Of the weights that decay, those that were read.
/// </summary>
internal sealed unsafe class PretrainedPull : IDisposable
{
    private readonly double _decay;
    private readonly WeightStore _store;
    private readonly List<Weight> _weights;
    private readonly Tensor _start;

    /// <summary>Copies the weights as they are.</summary>
    /// <param name="model">As it was loaded.</param>
    /// <param name="decay">As <c>decay_to_pretrained</c>.</param>
    internal PretrainedPull(PreTrainedModel model, double decay)
    {
        (_decay, _store) = (decay, model.Weights);
        var drawn = model.LoadReport.New.Concat(model.LoadReport.Resized.Select(line => line.Split(' ')[0])).ToHashSet();
        _weights = [.. model.Weights.All.Where(weight => weight.RequiresGrad && weight.Decays && !drawn.Contains(weight.Name))];
        _start = LibTorch.Empty(_weights.Sum(weight => weight.NumberOfElements));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var to = LibTorch.Floats(_start);
        foreach (var weight in _weights)
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
        var factor = (float)(learningRate * _decay);
        var start = LibTorch.Floats(_start);
        foreach (var weight in _weights)
        {
            float* values = weight.Data, first = start;
            CpuLoop.Stretches(weight.NumberOfElements, 3, (from, end) => Vectors.MoveTowards(values + from, first + from, factor, end - from));
            start += weight.NumberOfElements;
        }
        _store.SetChanged();
    }

    public void Dispose() => _start.Dispose();
}
