using Attune.Kernels;
using Attune.Models;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>Attention of one layer, with dropout: BERT's, DeBERTa's with its relative positions, and ModernBERT's in a window.</summary>
public unsafe class AttentionBenchmark : KernelBenchmark
{
    private const int Buckets = 256, Window = 16;

    private PackedAttention _attention = null!, _relative = null!, _local = null!;
    private RelativeScores.Gradients _relativeGradients;
    private PackedAttention.Inputs _inputs;
    private float* _context, _logSums, _gradients;

    [Benchmark(Baseline = true)]
    public void Forward() => _attention.Forward(_inputs, _context, _logSums);

    [Benchmark]
    public void Backward() => _attention.Backward(_inputs, _logSums, _context, At(_gradients, 0), At(_gradients, 1), At(_gradients, 2));

    [Benchmark]
    public void ForwardRelative() => _relative.Forward(_inputs, _context, _logSums);

    [Benchmark]
    public void BackwardRelative() => _relative.Backward(_inputs, _logSums, _context, At(_gradients, 0), At(_gradients, 1), At(_gradients, 2), _relativeGradients);

    [Benchmark]
    public void ForwardLocal() => _local.Forward(_inputs, _context, _logSums);

    private protected override void Fill()
    {
        _attention = new(Sequences, Heads, Hidden / Heads, firstTokensOnly: false, Dropout);
        var projections = Random(Sequences.Tokens, 3 * Hidden);
        var biases = Random(3, Hidden);
        _inputs = new(At(projections, 0), At(projections, 1), At(projections, 2), (nint)biases, (nint)(biases + Hidden), (nint)(biases + 2 * Hidden));
        _context = Random(Sequences.Tokens, Hidden);
        _logSums = Random(Sequences.Tokens, Heads);
        _gradients = Random(Sequences.Tokens, 3 * Hidden);
        var distances = RelativeBuckets.Table(Sequences.LongestSpan, distance => RelativeBuckets.DebertaV2(distance, Buckets, 2 * Buckets));
        var scores = new RelativeScores(distances, 2 * Buckets) { Keys = new(Random(2 * Buckets, Hidden), Hidden), Queries = new(Random(2 * Buckets, Hidden), Hidden) };
        _relative = new(Sequences, Heads, Hidden / Heads, firstTokensOnly: false, Dropout, view: new() { Relative = scores, ExtraTerms = 2 });
        _relativeGradients = new(new(Random(2 * Buckets, Hidden), Hidden), new(Random(2 * Buckets, Hidden), Hidden), Table: null);
        _local = new(Sequences, Heads, Hidden / Heads, firstTokensOnly: false, Dropout, view: new() { Window = Window });
        Forward();                                                          // backward wants the sums of a forward pass
    }

    private static PackedAttention.Matrix At(float* projections, int part) => new(projections + part * Hidden, 3 * Hidden);
}
