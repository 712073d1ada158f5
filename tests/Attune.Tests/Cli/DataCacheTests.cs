using Attune.Batching;
using Attune.Cli;
using Attune.Datasets;
using Attune.Formats;
using Attune.Tests.Datasets;
using Attune.Tests.Tokenization;
using Attune.Tokenization;

namespace Attune.Tests.Cli;

/// <summary>With the cache and without it, a run has the same rows, says the same, and fails the same.</summary>
public sealed class DataCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private CacheFolder Cache => new(Path.Combine(_folder.Path, "cache"));

    private int CachedFiles => Directory.Exists(Cache.Path) ? Directory.GetFiles(Cache.Path).Length : 0;

    private static string Csv(int rows, Func<int, string> label) => "text,other,label\n" +
        string.Concat(Enumerable.Range(0, rows).Select(i => $"Row {i} of a file that is large enough to be kept in the cache. {new string('x', i % 90)},second {i},{label(i)}\n"));

    private string File(string name = "train.csv", int rows = 4000, Func<int, string>? label = null) =>
        _folder.Write(name, Csv(rows, label ?? (i => i % 3 == 0 ? "good" : "bad")));

    /// <summary>All that a run gets to know of its data.</summary>
    private (List<string> Told, List<string> Rows, string Classes) Run(
        DataArguments data, BertTokenizer? tokenizer = null, int maxLength = 40, long seed = 7, string[]? labels = null, bool mustFit = false, int? stride = null)
    {
        var terminal = new RecordingTerminal();
        var source = DataSource.Load(data, labels, mustFit, _folder.Path, terminal.Terminal, cache: Cache);
        if (!mustFit) source.EnsureValidation(isWanted: true, seed);
        var splits = new EncodedSplits(source, tokenizer ?? TestVocabulary.Uncased, maxLength, terminal.Terminal.Tell, stride);
        var rows = new List<string>();
        foreach (var split in source.SplitNames)
        {
            var encoded = splits.Encode(split, data.MaxTrainSamples)!;
            rows.Add($"{split} {encoded.Count} {encoded.Texts} {string.Join(' ', encoded.TextStarts ?? [])} {encoded.Fingerprint} {string.Join(' ', encoded.Rows[^1].InputIds.ToArray())} {encoded.Rows[1].TokenTypeIds.Length}");
            Assert.Equal(encoded.Rows.Sum(row => (long)row.Length), encoded.Batch([.. Enumerable.Range(0, encoded.Count)]).Tokens);
        }
        return (terminal.Told, rows, $"{source.Columns.Describe()} {source.ProblemType} {string.Join('|', source.ModelLabels)} {source.Columns.IsPair}");
    }

    public static TheoryData<string> Kinds => ["classes", "pairs", "regression", "several", "joined", "limited"];

    [Theory, MemberData(nameof(Kinds))]
    public void Run_Again_IsTheSameWithAndWithoutTheCache(string kind)
    {
        var file = File(label: kind switch { "regression" => i => $"{i}.5", "several" => i => i % 2 == 0 ? "a|b" : "c", _ => null });
        // What is said of the file itself, here that its first line is a row, is said in every run.
        if (kind == "limited") _folder.Write("train.csv", string.Concat(Enumerable.Range(0, 9000).Select(i => $"{i},a row without a header,{i % 2}\n")));
        if (kind == "several") _folder.Write("train.csv", System.IO.File.ReadAllText(file).Replace("a|b", "\"a,b\"", StringComparison.Ordinal));
        var data = new DataArguments
        {
            TrainFile = file,
            TextColumnNames = kind is "pairs" or "joined" ? ["text", "other"] : kind == "limited" ? ["column2"] : null,
            LabelColumnName = kind == "limited" ? "column3" : null,
            TextColumnDelimiter = kind == "joined" ? " / " : null,
            ProblemType = kind == "several" ? Attune.Models.ProblemType.MultiLabelClassification : null,
            MaxTrainSamples = kind == "limited" ? 100 : null,
        };
        var without = Run(data with { TokenCache = false });
        Assert.Equal(0, CachedFiles);
        var first = Run(data);
        Assert.Equal(4, CachedFiles);                                       // what the file is, what it is once divided, the rows of both splits
        var second = Run(data);
        var overwritten = Run(data with { OverwriteCache = true });
        foreach (var run in new[] { first, second, overwritten })
        {
            Assert.Equal(without.Told, run.Told);
            Assert.Equal(without.Rows, run.Rows);
            Assert.Equal(without.Classes, run.Classes);
        }
        Assert.Equal(4, CachedFiles);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Run_TextsThatDoNotFitIntoMemory_AreTheSameRows(string kind)
    {
        var data = new DataArguments
        {
            TrainFile = File(label: kind switch { "regression" => i => $"{i}.5", "several" => i => "c", _ => null }),
            TextColumnNames = kind is "pairs" or "joined" ? ["text", "other"] : null,
            TextColumnDelimiter = kind == "joined" ? " / " : null,
            ProblemType = kind == "several" ? Attune.Models.ProblemType.MultiLabelClassification : null,
            MaxTrainSamples = kind == "limited" ? 100 : null,
        };
        var expected = Run(data with { TokenCache = false });
        var stored = data with { CharactersInMemory = 1000 };
        Assert.Equal(expected.Rows, Run(stored with { TokenCache = false }).Rows);
        Assert.Equal(0, CachedFiles);
        foreach (var run in new[] { Run(stored), Run(stored), Run(stored with { OverwriteCache = true }) })
        {
            Assert.Equal(expected.Told, run.Told);
            Assert.Equal(expected.Rows, run.Rows);
        }
        Assert.Equal(4, CachedFiles);
        _folder.Write("not a folder", "");
        var source = DataSource.Load(stored, null, mustFit: false, _folder.Path, new RecordingTerminal().Terminal, cache: new CacheFolder(Path.Combine(_folder.Path, "not a folder")));
        source.EnsureValidation(isWanted: true, 7);
        Assert.StartsWith($"train {source.Encode("train", data.MaxTrainSamples, TestVocabulary.Uncased, 40)!.Dataset.Count} ", expected.Rows[0], StringComparison.Ordinal);
    }

    [Theory, InlineData("windows"), InlineData("windows of pairs"), InlineData("stored")]
    public void Run_Windows_AreTheSameWithAndWithoutTheCache(string kind)
    {
        var data = new DataArguments { TrainFile = File(), TextColumnNames = kind == "windows of pairs" ? ["text", "other"] : null };
        if (kind == "stored") data = data with { CharactersInMemory = 1000 };
        var without = Run(data with { TokenCache = false }, maxLength: 16, stride: 3);
        Assert.Contains(without.Told, line => line.Contains("windows of at most 16 that share 3", StringComparison.Ordinal));
        foreach (var run in new[] { Run(data, maxLength: 16, stride: 3), Run(data, maxLength: 16, stride: 3) })
        {
            Assert.Equal(without.Told, run.Told);
            Assert.Equal(without.Rows, run.Rows);
        }
        // Windows, other windows and cut texts are kept apart.
        Assert.NotEqual(without.Rows, Run(data, maxLength: 16, stride: 4).Rows);
        Assert.Equal(Run(data with { TokenCache = false }, maxLength: 16).Rows, Run(data, maxLength: 16).Rows);
    }

    [Fact]
    public void Run_LabelsMatchedByNumber_AreToldOfEveryTime()
    {
        var data = new DataArguments { TrainFile = File(label: i => $"{i % 2}") };
        var (first, second) = (Run(data, labels: ["bad", "good"], mustFit: true), Run(data, labels: ["bad", "good"], mustFit: true));
        Assert.Contains(first.Told, line => line.EndsWith("so they are matched by number: 0 -> bad, 1 -> good.", StringComparison.Ordinal));
        Assert.Equal(first.Told, second.Told);
        Assert.Equal(first.Rows, second.Rows);
    }

    [Fact]
    public void Run_ChosenOrShuffledRows_AreKeptApart()
    {
        var data = new DataArguments { TrainFile = File(), MaxTrainSamples = 300 };
        var kinds = new[]
        {
            data, data with { ShuffleTrainDataset = true }, data with { ShuffleTrainDataset = true, ShuffleSeed = 43 }, data with { StratifySamples = true },
            data with { RemoveColumns = ["other"] },
        };
        foreach (var kind in kinds) Run(kind);
        foreach (var kind in kinds) Assert.Equal(Run(kind with { TokenCache = false }).Rows, Run(kind).Rows);
        Assert.Equal(4, kinds.Select(kind => string.Join('\n', Run(kind).Rows)).Distinct().Count());
    }

    [Fact]
    public void Run_Again_DoesNotReadTheFile()
    {
        var read = 0;
        DatasetFile.Register(".counted", (path, options) =>
        {
            read++;
            return DelimitedReader.ReadCsv(path, options);
        });
        var data = new DataArguments { TrainFile = File("train.counted") };
        var first = Run(data);
        Assert.Equal(1, read);
        Assert.Equal(first.Rows, Run(data).Rows);
        Assert.Equal(1, read);
        Run(data, maxLength: 30);
        Assert.Equal(2, read);
        Run(data with { OverwriteCache = true });
        Assert.Equal(3, read);
    }

    [Fact]
    public void Run_AnythingElseThanBefore_IsReadAnew()
    {
        var data = new DataArguments { TrainFile = File() };
        var files = 0;
        void Grows(Action run)
        {
            run();
            Assert.True(CachedFiles > files, $"{CachedFiles} files after {files}");
            files = CachedFiles;
        }
        Grows(() => Run(data));
        Grows(() => Run(data, TestVocabulary.Cased));
        Grows(() => Run(data, BertTokenizer.FromVocabulary([.. TestVocabulary.Mini, "unheardof"])));
        Grows(() => Run(data, maxLength: 30));
        Grows(() => Run(data, seed: 8));
        Grows(() => Run(data with { ValidationSplit = 0.2 }));
        Grows(() => Run(data with { MaxTrainSamples = 50 }));
        Grows(() => Run(data with { TrainSplitName = "train[:50%]" }));
        Grows(() => Run(data with { TestSplitName = "train[-10:]" }));
        Grows(() => Run(data with { TextColumnNames = ["other"] }));
        Grows(() => Run(data, labels: ["bad", "good"]));
        Grows(() => Run(data, labels: ["bad", "good"], mustFit: true));
        // The content decides: not the name, the size or the time.
        var time = System.IO.File.GetLastWriteTimeUtc(data.TrainFile!);
        _folder.Write("train.csv", Csv(4000, i => i % 3 == 1 ? "good" : "bad"));
        System.IO.File.SetLastWriteTimeUtc(data.TrainFile!, time);
        Grows(() => Run(data));
    }

    [Fact]
    public void Run_RowsThatCannotBeUsed_AreToldOfEveryTimeAndNotKept()
    {
        var data = new DataArguments { TrainFile = File(label: i => i == 1234 ? "" : i % 2 == 0 ? "good" : "bad") };
        string Error() => Assert.Throws<AttuneException>(() => Run(data)).Message;
        var error = Error();
        Assert.Contains("row 1235 (line 1236)", error, StringComparison.Ordinal);
        Assert.Equal(error, Error());
        var skipping = data with { OnBadRow = BadRowPolicy.Quarantine };
        var first = Run(skipping);
        Assert.Contains(first.Told, line => line.Contains("1 of ", StringComparison.Ordinal));
        var second = Run(skipping);
        Assert.Equal(first.Told, second.Told);
        Assert.Equal(first.Rows, second.Rows);
    }

    [Fact]
    public void Run_DamagedOrUnwritableCache_IsAsWithoutIt()
    {
        var data = new DataArguments { TrainFile = File() };
        var first = Run(data);
        foreach (var file in Directory.GetFiles(Cache.Path))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
            stream.Position = stream.Length / 2;
            stream.WriteByte((byte)(stream.ReadByte() ^ 1));
        }
        var second = Run(data);
        Assert.Equal(first.Told, second.Told);
        Assert.Equal(first.Rows, second.Rows);
        Assert.Equal(first.Rows, Run(data).Rows);

        Directory.Delete(Cache.Path, recursive: true);
        _folder.Write("cache", "a file where the folder is to be");
        Assert.Equal(first.Told, Run(data).Told);
    }

    [Fact]
    public void Run_SmallFile_IsNotKept()
    {
        Run(new DataArguments { TrainFile = File(rows: 100) });
        Assert.Equal(0, CachedFiles);
    }

    [Fact]
    public void Facts_AnyBytes_AreFactsOrNull()
    {
        var facts = new DataFacts([("train", 3), ("test", 2)], ["a", "b"], "label", TaskKind.MultiLabel, ",", ["x", "y"], ["said"]);
        var bytes = facts.ToBytes();
        var read = DataFacts.FromBytes(bytes)!;
        Assert.Equal(facts.Splits, read.Splits);
        Assert.Equal(["a", "b", "x", "y", "said", "label", ","], [.. read.Texts, .. read.Classes, .. read.Warnings, read.Label!, read.Separator!]);
        for (var i = 0; i < bytes.Length; i++) Assert.Null(DataFacts.FromBytes(bytes[..i]));
    }
}
