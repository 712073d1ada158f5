using Attune.Batching;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>The embeddings of BERT-base for a batch of 16 rows of SST-2.</summary>
[MemoryDiagnoser]
public class EmbeddingsBenchmark
{
    private const int Rows = 16;
    private readonly WeightStore _store = new();
    private BertEmbeddings _embeddings = null!;
    private BertEmbeddings.Saved _saved = null!;
    private TorchSharp.torch.Tensor _output = null!;
    private Batch _batch = null!;

    [GlobalSetup]
    public void Load()
    {
        LibTorch.Load();
        _batch = Batch.Pack([.. Sst2Rows.Take(Rows).Rows.Select(row => new TokenizedRow(row))]);
        _embeddings = new BertEmbeddings(_store, "embeddings", new BertConfig(), EmbeddingsForm.Bert);
        _store.LayOut();
        _output = _embeddings.Forward(_batch, dropoutKey: null, EmbeddingNoise.None, move: null, out _saved);
    }

    [Benchmark(Baseline = true)]
    public void Forward()
    {
        using var output = _embeddings.Forward(_batch, dropoutKey: null, EmbeddingNoise.None, move: null, out var saved);
        saved.Dispose();
    }

    [Benchmark]
    public void Backward() => _embeddings.Backward(_batch, _saved, _output, dropoutKey: null, move: null);

    [GlobalCleanup]
    public void Free()
    {
        _saved.Dispose();
        _output.Dispose();
        _store.Dispose();
    }
}
