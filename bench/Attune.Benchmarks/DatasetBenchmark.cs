using Attune.Datasets;
using Attune.Parquet;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>SST-2's 67,349 training rows from Parquet and from TSV to a data set.</summary>
[MemoryDiagnoser]
public class DatasetBenchmark
{
    private string _parquet = "", _tsv = "";

    [GlobalSetup]
    public void Find() => (_parquet, _tsv) = (Samples.Data("parquet/sst2/train-00000-of-00001.parquet"), Samples.Data("glue/SST-2/train.tsv"));

    [Benchmark(Baseline = true)]
    public int Parquet() => ParquetDataset.Read(_parquet, new DatasetReadOptions()).NumRows;

    [Benchmark]
    public int Tsv() => Dataset.FromFile(_tsv).NumRows;
}
