using Attune.Tokenization;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>SST-2's training set to ids, in the three ways that the library offers.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmark
{
    private readonly int[] _ids = new int[512];
    private Tokenizer _tokenizer = null!;
    private string[] _sentences = [];

    [GlobalSetup]
    public void Load() => (_tokenizer, _sentences) = (Tokenizer.FromPretrained(Samples.Data("bert-base-uncased")), Samples.Sst2Sentences());

    [Benchmark(Baseline = true)]
    public int EncodeIds() => _sentences.Sum(sentence => _tokenizer.EncodeIds(sentence, _ids));

    [Benchmark]
    public int EncodePacked() => _tokenizer.EncodePacked(_sentences).Ids.Length;

    [Benchmark]
    public int EncodeBatch() => _tokenizer.EncodeBatch(_sentences).Sum(row => row.Length);
}
