using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Attune.Cli;
using Attune.Formats;
using Attune.Tokenization;
using ParquetSharp;

namespace Attune.Benchmarks;

/// <summary>SST-2's training set from a Parquet file to token ids, as <c>attune train</c> loads it, against the Rust tokenizer alone on the same rows.</summary>
/// <remarks>
/// Each sample is a process of its own on the core that the Rust tokenizer runs on. Its first loading ("cold") has the runtime's start-up
/// in it: the native library of Parquet, code compiled as it is met. The targets are on the best of the later ones ("warm"), for the other
/// side is measured without its start-up too. Loading the tokenizer counts on neither side.
/// </remarks>
internal sealed class DatasetLoadCheck : Check
{
    private const double TargetFile = 15, TargetCache = 100;
    private const int Processes = 5, WarmRounds = 15;

    internal override string Name => "dataset-load";

    internal override string Summary => $"SST-2 from Parquet, and from the cache, to token ids on one core: times as fast as {RustTokenizer.Package} (Rust) only tokenizes";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-dataset-load-").FullName;
        try
        {
            var file = Path.Combine(folder, "train.parquet");
            var sentences = WriteParquet(file);
            var (rounds, expected) = RustTokenizer.Encode(Path.Combine(Samples.Data("bert-base-uncased"), "tokenizer.json"), sentences, batchSize: 1000);
            var rust = Enumerable.Range(0, rounds[0].Length).Sum(batch => rounds.Min(round => round[batch]));
            Facts["rust_ms"] = Math.Round(rust, 1);
            foreach (var (name, cache, target) in new[] { ("from Parquet", "", TargetFile), ("from the cache", Path.Combine(folder, "cache"), TargetCache) })
            {
                if (cache.Length > 0) Sample(file, cache);                   // fills it
                var samples = Enumerable.Range(0, Processes).Select(_ => Sample(file, cache)).ToList();
                if (samples.Exists(sample => sample.Ids != Digest(expected))) throw new AttuneException(
                    $"The ids {name} are not those of {RustTokenizer.Package}, so the speed means nothing: run the tokenizer's tests.");
                if (samples.Exists(sample => sample.IsKept != (cache.Length > 0))) throw new AttuneException($"The cache at {cache} was not used.");
                var (cold, warm) = (Statistics.Median([.. samples.Select(sample => sample.Cold)]), samples.Min(sample => sample.Warm));
                Facts[name.Replace(' ', '_').ToLowerInvariant() + "_cold_ms"] = Math.Round(cold, 1);
                yield return new CheckPart($"{name}, warm", rust / warm, target, "times the Rust tokenizer", Note: string.Create(CultureInfo.InvariantCulture,
                    $"{warm:F1} ms and {rust:F0} ms; cold, the median of {Processes} processes: {cold:F0} ms, {rust / cold:F1} times"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>One process: loads the file again and again and prints what it took.</summary>
    /// <param name="file">The Parquet file.</param>
    /// <param name="cache">The folder of the cache; empty to do without.</param>
    internal static int Serve(string file, string cache)
    {
        var tokenizer = Tokenizer.FromPretrained(Samples.Data("bert-base-uncased"));
        var arguments = new DataArguments { TrainFile = file, TokenCache = cache.Length > 0 };
        var (times, silent) = (new List<double>(), new Terminal(() => TextReader.Null, TextWriter.Null, TextWriter.Null, isLive: false, () => 80));
        Attune.Batching.EncodedTexts rows = null!;
        for (var round = 0; round <= WarmRounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var source = DataSource.Load(arguments, null, mustFit: false, null, silent, cache: cache.Length > 0 ? new CacheFolder(cache) : null);
            rows = source.Encode("train", null, tokenizer, 512)!;
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        var ids = new List<int>();
        foreach (var row in rows.Dataset.Rows)
        {
            ids.Add(row.Length);
            ids.AddRange(row.InputIds);
        }
        Console.WriteLine(JsonSerializer.Serialize(new SampleTimes(times[0], times.Skip(1).Min(), Digest([.. ids]), cache.Length > 0 && Directory.Exists(cache))));
        return 0;
    }

    private static SampleTimes Sample(string file, string cache)
    {
        string[] arguments = ["load", file, cache];
        var program = Environment.ProcessPath!;
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") arguments = [typeof(DatasetLoadCheck).Assembly.Location, .. arguments];
        return JsonSerializer.Deserialize<SampleTimes>(Core.Run(program, arguments))!;
    }

    private static string Digest(int[] ids) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(ids)));

    /// <summary>Writes the training set in the layout of the hub's file. Returns the texts.</summary>
    private static string[] WriteParquet(string path)
    {
        var rows = File.ReadLines(Samples.Data("glue/SST-2/train.tsv")).Skip(1).Select(line => line.Split('\t')).ToArray();
        const string features = """
            {"info": {"features": {"sentence": {"dtype": "string", "_type": "Value"}, "label": {"names": ["negative", "positive"], "_type": "ClassLabel"},
             "idx": {"dtype": "int32", "_type": "Value"}}}}
            """;
        Column[] columns = [new Column<string>("sentence"), new Column<long>("label"), new Column<int>("idx")];
        using var writer = new ParquetFileWriter(path, columns, Compression.Snappy, new Dictionary<string, string> { ["huggingface"] = features });
        using var group = writer.AppendRowGroup();
        string[] texts = [.. rows.Select(row => row[0])];
        Put(texts);
        Put(Array.ConvertAll(rows, row => long.Parse(row[1], CultureInfo.InvariantCulture)));
        Put([.. Enumerable.Range(0, rows.Length)]);
        writer.Close();
        return texts;

        void Put<T>(T[] values)
        {
            using var column = group.NextColumn().LogicalWriter<T>();
            column.WriteBatch(values);
        }
    }

    private sealed record SampleTimes(double Cold, double Warm, string Ids, bool IsKept);
}
