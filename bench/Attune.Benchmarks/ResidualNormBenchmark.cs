using Attune.Kernels;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>Bias, dropout, residual and LayerNorm of one place.</summary>
public unsafe class ResidualNormBenchmark : KernelBenchmark
{
    private float* _x, _bias, _residual, _weight, _shift, _output, _inverse, _gradients;

    [Benchmark(Baseline = true)]
    public void Forward() =>
        ResidualNorm.Forward(_x, _bias, _residual, _weight, _shift, Epsilon, _output, _inverse, Sequences.AllTokens, Hidden, Dropout);

    [Benchmark]
    public void Backward() => ResidualNorm.Backward(
        _output, _x, _weight, _inverse, _residual, _gradients, _gradients + Hidden, _gradients + 2 * Hidden, Sequences.AllTokens, Hidden, Dropout);

    private protected override void Fill()
    {
        _x = Random(Sequences.Tokens, Hidden);
        _residual = Random(Sequences.Tokens, Hidden);
        _output = Random(Sequences.Tokens, Hidden);
        _bias = Random(1, Hidden);
        _weight = Random(1, Hidden);
        _shift = Random(1, Hidden);
        _inverse = Random(1, Sequences.Tokens);
        _gradients = Random(3, Hidden);
    }
}
