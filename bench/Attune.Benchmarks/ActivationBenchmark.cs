using Attune.Kernels;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>GELU of one layer with its bias.</summary>
public unsafe class ActivationBenchmark : KernelBenchmark
{
    private readonly Activation _gelu = Activation.Named("gelu");
    private float* _inner, _bias, _output, _biasGradient;

    [Benchmark(Baseline = true)]
    public void Forward() => _gelu.Forward(_inner, _bias, _output, Sequences.Tokens, Intermediate);

    [Benchmark]
    public void Backward() => _gelu.Backward(_output, _inner, _biasGradient, Sequences.Tokens, Intermediate);

    private protected override void Fill()
    {
        _inner = Random(Sequences.Tokens, Intermediate);
        _output = Random(Sequences.Tokens, Intermediate);
        _bias = Random(1, Intermediate);
        _biasGradient = Random(1, Intermediate);
        new Span<float>(_bias, Intermediate).Clear();                       // it is added in place: the input must not run away
    }
}
