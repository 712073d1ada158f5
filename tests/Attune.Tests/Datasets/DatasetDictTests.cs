using Attune.Datasets;

namespace Attune.Tests.Datasets;

public sealed class DatasetDictTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Fails() => Assert.Throws<AttuneException>(() => DatasetDict.Load(_folder.Path)).Message;

    [Theory]
    [InlineData("validation.csv")]
    [InlineData("valid.csv")]
    [InlineData("val.csv")]
    [InlineData("dev.csv")]
    [InlineData("DEV.CSV")]
    public void Load_FilesNamedAfterSplits_FindsThemInOrder(string validation)
    {
        _folder.Write("test.tsv", "text\tlabel\nc\t1\n");
        _folder.Write(validation, "text,label\nb,0\n");
        _folder.Write("train.jsonl", "{\"text\": \"a\", \"label\": 0}\n");
        _folder.Write("labels.txt", "no\nyes\n");
        _folder.Write("categories.json", "[\"no\", \"yes\"]");
        var data = DatasetDict.Load(_folder.Path);
        Assert.Equal(["train", "validation", "test"], data.Keys);
        Assert.Equal(["a", "b", "c"], data.Values.Select(split => split["text"][0]));
    }

    [Fact]
    public void Load_ShardsInDataFolder_JoinsThemInOrder()
    {
        _folder.Write("README.md", "# Data");
        _folder.Write("data/train-00001-of-00002.jsonl", "{\"text\": \"b\"}\n");
        _folder.Write("data/train-00000-of-00002.jsonl", "{\"text\": \"a\"}\n");
        _folder.Write("data/validation_matched-00000-of-00001.jsonl", "{\"text\": \"c\"}\n");
        var data = DatasetDict.Load(_folder.Path);
        Assert.Equal(["train", "validation_matched"], data.Keys);
        Assert.Equal(["a", "b"], data["train"]["text"]);
        Assert.EndsWith("train-00001-of-00002.jsonl", data["train"].PlaceOf(1).File, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("data/")]
    public void Load_FoldersNamedAfterSplits_JoinsTheirFilesInOrder(string place)
    {
        _folder.Write(place + "partial-train/0001.jsonl", "{\"text\": \"b\"}\n");
        _folder.Write(place + "partial-train/0000.jsonl", "{\"text\": \"a\"}\n");
        _folder.Write(place + "validation_matched/0000.jsonl", "{\"text\": \"c\"}\n");
        _folder.Write(place + "images/0000.jsonl", "{\"text\": \"d\"}\n");
        _folder.Write(place + "test/notes.txt", "no rows");
        var data = DatasetDict.Load(_folder.Path);
        Assert.Equal(["train", "validation_matched"], data.Keys);
        Assert.Equal(["a", "b"], data["train"]["text"]);
    }

    [Fact]
    public void Load_ShardMissing_NamesIt()
    {
        _folder.Write("train-00000-of-00002.jsonl", "{\"text\": \"b\"}\n");
        Assert.Contains("part 1 is missing", Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SplitThereTwice_NamesBoth()
    {
        _folder.Write("dev.csv", "text\na\n");
        _folder.Write("validation.csv", "text\na\n");
        var message = Fails();
        Assert.Contains("dev.csv", message, StringComparison.Ordinal);
        Assert.Contains("validation.csv; keep one of them.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NothingToRead_SaysWhatIsExpected()
    {
        _folder.Write("notes.txt", "");
        Assert.Contains("has no data file: none ends in ", Fails(), StringComparison.Ordinal);
        Assert.Contains("there is no such folder", Assert.Throws<AttuneException>(() => DatasetDict.Load(_folder.Path + "x")).Message, StringComparison.Ordinal);
        var file = _folder.Write("a.csv", "text\na\n");
        Assert.Contains("is a file", Assert.Throws<AttuneException>(() => DatasetDict.Load(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFiles_DifferentKinds_ReadsEach()
    {
        var data = DatasetDict.FromFiles(train: _folder.Write("a.csv", "text\na\n"), test: _folder.Write("b.json", "[{\"text\": \"b\"}]"));
        Assert.Equal(["train", "test"], data.Keys);
        Assert.Equal("There is no split \"dev\"; the splits are train, test: use one of these names.",
            Assert.Throws<AttuneException>(() => data["dev"]).Message);
        Assert.Throws<AttuneException>(() => DatasetDict.FromFiles());
    }

    [Fact]
    public void Operations_OnTheDictionary_ApplyToEverySplit()
    {
        var data = DatasetDict.FromFiles(train: _folder.Write("a.csv", "text,label\na,x\n"), test: _folder.Write("b.csv", "text,label\nb,y\n"))
            .Map(row => new Dictionary<string, object?> { ["twice"] = $"{row["text"]}{row["text"]}" })
            .CastColumn("label", new ClassLabel(["x", "y"])).RenameColumn("label", "labels").WithFormat("twice");
        Assert.Equal("bb", data["test"][0]["twice"]);
        Assert.Equal([1L], data["test"]["labels"]);
        Assert.Equal(["twice"], data["train"][0].Keys);
    }
}
