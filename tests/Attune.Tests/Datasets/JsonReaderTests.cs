using Attune.Datasets;

namespace Attune.Tests.Datasets;

public sealed class JsonReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Dataset Read(string name, string text) => Dataset.FromFile(_folder.Write(name, text));

    private string Fails(string name, string text)
    {
        var message = Assert.Throws<AttuneException>(() => Read(name, text)).Message;
        return message.Replace(_folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_AllKindsOfValues_GiveTypedColumns()
    {
        var data = Read("a.jsonl", """
            {"text": "é \u4e2d", "n": 1, "x": 1, "ok": true, "tags": [], "more": {"a": [1]}}

            {"text": null, "n": 2, "x": 0.5, "ok": false, "tags": ["a", "b"], "late": [1, 2]}
            """);

        Assert.Equal(["text", "n", "x", "ok", "tags", "more", "late"], data.ColumnNames);
        Assert.Equal(["é 中", null], data["text"]);
        Assert.Equal([1L, 2L], data["n"]);
        Assert.Equal([1.0, 0.5], data["x"]);
        Assert.Equal(new ClassLabel(["false", "true"]), data.Features["ok"]);
        Assert.Equal([1L, 0L], data["ok"]);
        Assert.Equal(["a", "b"], data.Column<string[]>("tags")[1]);
        Assert.Empty(data.Column<string[]>("tags")[0]);
        Assert.Equal(["{\"a\": [1]}", null], data["more"]);
        Assert.Null(data["late"][0]);
        Assert.Equal([1L, 2L], data.Column<long[]>("late")[1]);
        Assert.Equal(3, data.PlaceOf(1).Line);
    }

    [Theory]
    [InlineData("[{\"text\": \"a\"},\n {\"text\": \"b\"}]")]
    [InlineData("{\"version\": 1, \"data\": [{\"text\": \"a\"}, {\"text\": \"b\"}]}")]
    [InlineData("{\"text\": \"a\"}\n{\"text\": \"b\"}\n")]
    public void Json_ArrayDataOrLines_GiveTheSameRows(string text) => Assert.Equal(["a", "b"], Read("a.json", text)["text"]);

    [Fact]
    public void Json_OneObject_IsOneRow() => Assert.Equal(["a"], Read("a.json", "{\"text\": \"a\"}")["text"]);

    [Fact]
    public void Lines_BrokenLine_NamesRowAndLine() =>
        Assert.StartsWith("a.jsonl, row 2 (line 3): the line is not a JSON object (character ",
            Fails("a.jsonl", "{\"text\": \"a\"}\n\n{\"text\": \"b\n"), StringComparison.Ordinal);

    [Fact]
    public void Lines_NumberInsteadOfObject_NamesRow() =>
        Assert.StartsWith("a.jsonl, row 1 (line 1): the row is not a JSON object but a number", Fails("a.jsonl", "3\n"), StringComparison.Ordinal);

    [Fact]
    public void Lines_HalfASurrogate_NamesRow() =>
        Assert.StartsWith("a.jsonl, row 1 (line 1): the row holds text that is not valid Unicode", Fails("a.jsonl", "{\"text\": \"\\ud800\"}\n"), StringComparison.Ordinal);

    [Fact]
    public void Array_CutOff_NamesLine() =>
        Assert.StartsWith("a.json, line 2: the file is not valid JSON", Fails("a.json", "[{\"text\": \"a\"},\n{\"text\""), StringComparison.Ordinal);

    [Fact]
    public void Lines_TextAmongNumbers_NamesRow() =>
        Assert.StartsWith("a.jsonl, row 2 (line 2): the column \"label\" holds the text \"x\" here and int64 before",
            Fails("a.jsonl", "{\"label\": 1}\n{\"label\": \"x\"}\n"), StringComparison.Ordinal);
}
