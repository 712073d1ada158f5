using Attune.Datasets;

namespace Attune.Tests.Datasets;

public sealed class BadRowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _told = [];

    public void Dispose() => _folder.Dispose();

    private string Out => Path.Combine(_folder.Path, "out");

    private DatasetReadOptions Quarantine(double limit = 1) =>
        new() { OnBadRow = BadRowPolicy.Quarantine, QuarantineFolder = Out, BadRowLimit = limit, Warn = _told.Add };

    private Dataset Left(string name) => Dataset.FromFile(Path.Combine(Out, name + ".bad-rows.jsonl"));

    private static ClassificationRows Rows(DatasetDict data, DatasetReadOptions reading, string split = "train") =>
        ClassificationColumns.Find(data, new() { Reading = reading, LabelNames = ["no", "yes"] }).Rows(data[split], split);

    [Fact]
    public void Quarantine_ReadingAndLabelling_ShareOneFile()
    {
        var path = _folder.Write("a.csv", "text,label\nfine,yes\nodd,no,1\nhm,maybe\nfine,no\n");
        var reading = Quarantine();
        var data = DatasetDict.FromFiles(train: path, options: reading);
        Assert.Equal([2L], Left("a.csv")["row"]);
        Assert.Equal(2, Rows(data, reading).Texts.Count);
        Assert.Equal([2L, 3L], Left("a.csv")["row"]);
        Assert.Equal(["odd,no,1\n", "{\"text\":\"hm\",\"label\":\"maybe\"}"], Left("a.csv")["text"]);
        Assert.Equal($"{path}: 1 of 4 rows (25 %) left out and written to {Path.Combine(Out, "a.csv.bad-rows.jsonl")}.", _told[^2]);

        Assert.Equal(2, Rows(data, reading).Texts.Count);                       // taken once more, they are counted and written once
        Assert.Equal([2L, 3L], Left("a.csv")["row"]);
    }

    [Fact]
    public void Quarantine_TwoPartsOfOneFile_ShareIt()
    {
        var path = _folder.Write("a.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 20).Select(i => $"t{i},{(i % 5 == 0 ? "maybe" : i % 2 == 0 ? "yes" : "no")}\n")));
        var reading = Quarantine();
        var data = Dataset.FromFile(path, reading).TrainTestSplit(0.5, seed: 1);
        Rows(data, reading);
        Rows(data, reading, "test");
        Assert.Equal([1L, 6, 11, 16], Left("a.csv")["row"].Cast<long>());
    }

    [Fact]
    public void Limit_CountsReadingAndLabellingTogether()
    {
        var path = _folder.Write("a.csv", "text,label\nfine,yes\nodd,no,1\nhm,maybe\nfine,no\n");
        var reading = Quarantine(limit: 0.4);
        var data = DatasetDict.FromFiles(train: path, options: reading);
        Assert.StartsWith($"{path}: 2 of 4 rows (50 %) cannot be used, more than the limit of 40 %",
            Assert.Throws<AttuneException>(() => Rows(data, reading)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quarantine_FilesOfOneNameInTwoFolders_AreKeptApart()
    {
        var reading = Quarantine();
        foreach (var name in new[] { "a", "b" })
            Dataset.FromFile(_folder.Write($"{name}/train.csv", $"text,label\nfine,yes\n{name},no,1\n"), reading);
        Assert.Equal(["a,no,1\n"], Left("train.csv")["text"]);
        Assert.Equal(["b,no,1\n"], Left("train.csv.2")["text"]);
    }

    [Fact]
    public void Quarantine_FolderIsAFile_SaysSo()
    {
        _folder.Write("out", "");
        var path = _folder.Write("a.csv", "text,label\nfine,yes\nodd,no,1\n");
        Assert.StartsWith($"{Out} cannot be written: ", Assert.Throws<AttuneException>(() => Dataset.FromFile(path, Quarantine())).Message, StringComparison.Ordinal);
    }
}
