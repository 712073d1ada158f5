using Attune.Kernels;
using Attune.Native;
using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>The largest product of a layer of BERT-base, 213 tokens of 768 by 3072, by libtorch and by Attune's tiles.</summary>
public class MatrixProductBenchmark
{
    private const int Tokens = 213, Hidden = 768, Intermediate = 3072;

    private Tensor _x = null!, _weight = null!, _transposed = null!, _result = null!;

    [GlobalSetup]
    public void Load()
    {
        LibTorch.Load();
        (_x, _weight, _result) = (rand(Tokens, Hidden), rand(Intermediate, Hidden), empty(Tokens, Intermediate));
        _transposed = _weight.t();
    }

    [Benchmark(Baseline = true)]
    public void LibtorchsOwn() => _result.addmm_(_x, _transposed, beta: 0, alpha: 1);

    [Benchmark]
    public void Chosen() => MatrixProduct.Multiply(_x, _transposed, _result);

    [GlobalCleanup]
    public void Free()
    {
        foreach (var tensor in (ReadOnlySpan<Tensor>)[_x, _transposed, _weight, _result]) tensor.Dispose();
    }
}
