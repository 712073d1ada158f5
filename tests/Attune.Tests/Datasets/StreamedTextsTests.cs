using System.Text.Json;
using Attune.Datasets;
using Attune.Parquet;
using CsCheck;

namespace Attune.Tests.Datasets;

/// <summary>Files read row by row give what files read whole give.</summary>
public sealed class StreamedTextsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new(inMemory: true);
    private readonly List<string> _told = [];

    public StreamedTextsTests() => ParquetDataset.Register();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryForm_OddTexts_AreThoseOfTheWholeReader()
    {
        var text = Gen.OneOf(Gen.String[Gen.Char["ab,;\"\n\r\t é"], 0, 8], Gen.Const("é中😀"), Gen.Const("1"));
        Gen.Select(text, text).List[1, 30].Sample(rows =>
        {
            foreach (var file in new[]
            {
                Write("a.csv", "text,other\n" + string.Concat(rows.Select(row => $"{Quoted(row.Item1)},{Quoted(row.Item2)}\n"))),
                Write("a.tsv", "text\tother\n" + string.Concat(rows.Select(row => $"{Quoted(row.Item1)}\t{Quoted(row.Item2)}\n"))),
                Write("a.jsonl", string.Concat(rows.Select(row => Json(row) + "\n"))),
                Write("a.json", $"[{string.Join(",\n", rows.Select(Json))}]"),
                Write("b.json", $"{{\"version\": 1, \"data\": [{string.Join(",", rows.Select(Json))}]}}"),
                Write("c.json", string.Concat(rows.Select(row => Json(row) + "\n"))),
                WriteParquet(rows),
            })
            {
                var whole = Dataset.FromFile(file);
                var streamed = StreamedTexts.Open(file, ["text"], null, new DatasetReadOptions());
                var read = streamed.All(null).ToList();
                Assert.Equal(whole.CastColumn("text", FeatureType.String)["text"].Cast<string?>().Select(cell => cell ?? ""), read.Select(row => row.Text));
                Assert.Equal(whole.CastColumn("other", FeatureType.String)["other"].Cast<string?>().Select(cell => cell ?? ""), read.Select(row => (string?)row.Row["other"] ?? ""));
                Assert.Equal(Enumerable.Range(0, whole.NumRows).Select(whole.PlaceOf), read.Select(row => row.Row.Place));
                Assert.Equal(1, streamed.Share, 1e-9);
            }
        }, iter: 40, threads: 1);
    }

    [Theory]
    [InlineData("sentence1,sentence2,label\na,b,1\n", "sentence1 sentence2", true)]
    [InlineData("id,words,label\n1,b,x\n", "words", false)]
    [InlineData("7,8,words\n9,b c,x\n", null, false)]
    [InlineData("review,stars\na,5\n", "review", false)]
    public void Columns_AreFoundAsInTraining(string csv, string? expected, bool isPair)
    {
        var file = Write("a.csv", csv);
        if (expected is null)
        {
            Assert.StartsWith($"{file}: there is no text column of a usual name among ", Assert.Throws<AttuneException>(() => Open(file)).Message, StringComparison.Ordinal);
            return;
        }
        var texts = Open(file);
        Assert.Equal((expected, isPair), (string.Join(' ', texts.TextColumns), texts.IsPair));
    }

    [Fact]
    public void Columns_Asked_JoinedOrAbsent()
    {
        var file = Write("a.csv", "a,b,c\nx,y,z\n");
        Assert.Equal("x|y|z", Assert.Single(StreamedTexts.Open(file, ["a", "b", "c"], "|", new()).All([])).Text);
        Assert.Equal($"{file}: there is no text column \"d\" among a, b, c; name one by --text-column-names.",
            Assert.Throws<AttuneException>(() => StreamedTexts.Open(file, ["d"], null, new())).Message);
    }

    [Theory]
    [InlineData("a.csv", "text,n\na,1\nb\nc,3\n", 2, "the row has 1 fields, not the 2 of the first line")]
    [InlineData("a.csv", "text,n\na,1\nb\0,2\n", 2, "the text in the column \"text\" holds NUL characters, as UTF-16 read as UTF-8 does")]
    [InlineData("a.jsonl", "{\"text\": \"a\"}\n{\"text\": \n{\"text\": \"c\"}\n", 2, "the line is not a JSON object (character 10)")]
    [InlineData("a.jsonl", "{\"text\": \"a\"}\n{\"n\": 1}\n", 2, "there is no text in the column \"text\"")]
    [InlineData("a.jsonl", "{\"text\": \"a\"}\n\n{\"text\": [1]}\n", 2, "there is a list in the column \"text\"")]
    [InlineData("a.json", "[{\"text\": \"a\"}, 5]", 2, "the row is not a JSON object but a number")]
    public void BadRow_Fails_WithItsPlaceAfterTheRowsBefore(string name, string content, int row, string reason)
    {
        var file = Write(name, content);
        var read = new List<StreamedText>();
        var error = Assert.Throws<AttuneException>(() => read.AddRange(Read(file, new())));
        Assert.StartsWith($"{file}, row {row}", error.Message, StringComparison.Ordinal);
        Assert.Contains($": {reason}; ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(", or leave such rows out with --on-bad-row skip.", error.Message, StringComparison.Ordinal);
        read.Clear();
        foreach (var text in Read(file, new() { OnBadRow = BadRowPolicy.Skip, MaxBadRows = 1, Warn = _told.Add })) read.Add(text);
        Assert.Equal(content.Contains('c', StringComparison.Ordinal) ? ["a", "c"] : ["a"], read.Select(text => text.Text));
        Assert.Contains(_told, line => line.StartsWith($"  {file}, row {row}", StringComparison.Ordinal));
        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(file)}: 1 of [23] rows \\([0-9.]+ %\\) left out\\.$", _told[^1]);
    }

    [Fact]
    public void BadRows_MoreThanTheLimit_EndIt()
    {
        var file = Write("a.csv", "text,n\n" + string.Concat(Enumerable.Range(0, 200).Select(i => i % 50 == 9 ? "b\n" : $"a,{i}\n")));
        Assert.StartsWith($"{file}: 4 of 200 rows (2 %) cannot be used, more than the limit of 1 %; mend the file (the first is {file}, row 10 (line 11): ",
            Assert.Throws<AttuneException>(() => Read(file, new() { OnBadRow = BadRowPolicy.Skip }).Count()).Message, StringComparison.Ordinal);
        Assert.StartsWith($"{file}: 3 of 110 rows (2.73 %) cannot be used, more than the limit of 2 rows; ",
            Assert.Throws<AttuneException>(() => Read(file, new() { OnBadRow = BadRowPolicy.Skip, MaxBadRows = 2 }).Count()).Message, StringComparison.Ordinal);
        Assert.Equal(196, Read(file, new() { OnBadRow = BadRowPolicy.Skip, MaxBadRows = 4 }).Count());
    }

    [Fact]
    public void BadRows_Quarantined_AreWrittenAsTraining()
    {
        var file = Write("a.csv", "text,n\na,1\nb\n,2\nc,3,4\n");
        var options = new DatasetReadOptions { OnBadRow = BadRowPolicy.Quarantine, MaxBadRows = 9, QuarantineFolder = Path.Combine(_folder.Path, "out"), Warn = _told.Add };
        Assert.Equal(["a", ""], Read(file, options).Select(text => text.Text));
        var left = Path.Combine(_folder.Path, "out", "a.csv.bad-rows.jsonl");
        var streamed = File.ReadAllText(left);
        File.Delete(left);
        Dataset.FromFile(file, options);
        Assert.Equal(streamed, File.ReadAllText(left));
        Assert.Equal([left], Directory.GetFiles(Path.Combine(_folder.Path, "out")));
        foreach (var _ in Read(file, options).Take(2)) File.Delete(left);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Path, "out")));     // what was broken off leaves nothing
    }

    [Fact]
    public void Json_NotValid_NamesTheLine()
    {
        var file = Write("a.json", "[{\"text\": \"a\"},\n{\"text\": }]");
        Assert.Equal($"{file}, line 2: the file is not valid JSON; correct it or write it as JSON lines.", Assert.Throws<AttuneException>(() => Read(file, new()).Count()).Message);
    }

    [Theory]
    [InlineData("a.csv", "text,n\n")]
    [InlineData("a.jsonl", "\n")]
    [InlineData("a.json", "[]")]
    public void NoRows_IsSaid(string name, string content)
    {
        var file = Write(name, content);
        Assert.Equal($"{file} has no rows; fill it or leave the split out.", Assert.Throws<AttuneException>(() => Open(file)).Message);
    }

    [Fact]
    public void Parquet_Damaged_IsRefused()
    {
        var file = WriteParquet([("a", "b")]);
        var bytes = File.ReadAllBytes(file);
        foreach (var damaged in new[] { bytes[..^5], bytes[4..], [] })
        {
            File.WriteAllBytes(file, damaged);
            Assert.Equal($"{file} is not a Parquet file that can be read; write or download it again.", Assert.Throws<AttuneException>(() => Read(file, new()).Count()).Message);
        }
    }

    private StreamedTexts Open(string file) => StreamedTexts.Open(file, null, null, new DatasetReadOptions { Warn = _told.Add });

    private static IEnumerable<StreamedText> Read(string file, DatasetReadOptions options) => StreamedTexts.Open(file, ["text"], null, options).All(null);

    private string Write(string name, string content) => _folder.Write(name, content);

    private string WriteParquet(IReadOnlyList<(string, string)> rows)
    {
        using var stream = new MemoryStream();
        ParquetTable.Write(stream, [new("text", ParquetKind.Text), new("other", ParquetKind.Text)], rows.Select(row => new object?[] { row.Item1, row.Item2 }));
        return _folder.Write("a.parquet", stream.ToArray());
    }

    private static string Quoted(string cell) => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Json((string, string) row) => JsonSerializer.Serialize(new { text = row.Item1, other = row.Item2 });
}
