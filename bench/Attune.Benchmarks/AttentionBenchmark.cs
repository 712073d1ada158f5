using Attune.Kernels;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>Attention of one layer, with dropout.</summary>
public unsafe class AttentionBenchmark : KernelBenchmark
{
    private PackedAttention _attention = null!;
    private PackedAttention.Inputs _inputs;
    private float* _context, _logSums, _gradients;

    [Benchmark(Baseline = true)]
    public void Forward() => _attention.Forward(_inputs, _context, _logSums);

    [Benchmark]
    public void Backward() => _attention.Backward(_inputs, _logSums, _context, At(_gradients, 0), At(_gradients, 1), At(_gradients, 2));

    private protected override void Fill()
    {
        _attention = new(Sequences, Heads, Hidden / Heads, firstTokensOnly: false, Dropout);
        var projections = Random(Sequences.Tokens, 3 * Hidden);
        var biases = Random(3, Hidden);
        _inputs = new(At(projections, 0), At(projections, 1), At(projections, 2), (nint)biases, (nint)(biases + Hidden), (nint)(biases + 2 * Hidden));
        _context = Random(Sequences.Tokens, Hidden);
        _logSums = Random(Sequences.Tokens, Heads);
        _gradients = Random(Sequences.Tokens, 3 * Hidden);
        Forward();                                                          // backward wants the sums of a forward pass
    }

    private static PackedAttention.Matrix At(float* projections, int part) => new(projections + part * Hidden, 3 * Hidden);
}
