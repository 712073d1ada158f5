using Attune.Formats;
using Attune.Models;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>The 440 MB of BERT-base's weights: written, opened, read into a model. The files are in the system's cache.</summary>
[MemoryDiagnoser]
public class WeightsBenchmark
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-weights-").FullName;
    private BertForSequenceClassification _model = null!;

    [GlobalSetup]
    public void Write()
    {
        _model = BertForSequenceClassification.FromConfig(new BertConfig());
        Save();
    }

    [Benchmark(Baseline = true)]
    public void Save() => _model.SavePretrained(_folder);

    [Benchmark]
    public void Load()
    {
        using var model = BertForSequenceClassification.FromPretrained(_folder);
    }

    [Benchmark]
    public int OpenOnly()
    {
        using var file = WeightFiles.Open(_folder)!;
        return file.Entries.Count;
    }

    [GlobalCleanup]
    public void Free()
    {
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
