using Attune.Tests.Cli;
using System.Text;
using Attune.Cli;
using Attune.Datasets;

namespace Attune.Tests.Datasets;

/// <summary>
/// Rows that cannot be trained on, one kind at a time: each is named in one line with file, row and remedy; or left out, counted and written to a
/// file to mend. What is merely unusual is read.
/// </summary>
public sealed class UnusableRowsTests : IDisposable
{
    private const string Card = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names: ['no', 'yes']\n---\n";
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingTerminal _terminal = new();

    private List<string> Told => _terminal.Told;

    public void Dispose() => _folder.Dispose();

    private ClassificationRows Rows(byte[] train, BadRowPolicy policy, string name = "train.csv")
    {
        _folder.Write("data/README.md", Card);
        _folder.Write("data/" + name, train);
        var data = new DataArguments { Dataset = Path.Combine(_folder.Path, "data"), OnBadRow = policy, MaxBadRows = 1, TokenCache = false };
        return DataSource.Load(data, null, mustFit: false, Path.Combine(_folder.Path, "out"), _terminal.Terminal).Rows("train", null)!;
    }

    [Theory]
    [InlineData("b,", "the label is missing and is not one of the 2 classes (no, yes)")]
    [InlineData("b,2", "the label \"2\" in the column \"label\" is none of its 2 classes (no, yes), which have the numbers 0 to 1")]
    [InlineData("b,4294967295", "the label \"4294967295\" in the column \"label\" is none of its 2 classes")]
    [InlineData("b,-2", "the label \"-2\" in the column \"label\" is none of its 2 classes")]
    [InlineData("b,-1", "the label is missing and is not one of the 2 classes")]
    [InlineData("b,0.5", "the label \"0.5\" in the column \"label\" is none of its 2 classes")]
    [InlineData("b,maybe", "the label \"maybe\" in the column \"label\" is none of its 2 classes")]
    [InlineData("b\0c,1", "the text in the column \"text\" holds NUL characters, as UTF-16 read as UTF-8 does")]
    [InlineData("b\u00FF,1", "the row is not valid UTF-8")]
    [InlineData("b", "the row has 1 fields, not the 2 of the first line")]
    [InlineData("b,1,1", "the row has 3 fields, not the 2 of the first line")]
    [InlineData("\"b,1", "a quoted cell is not closed, or goes on after its closing quote")]
    [InlineData("\"b\"c,1", "a quoted cell is not closed, or goes on after its closing quote")]
    public void Csv_UnusableRow_IsNamedOrPutAside(string row, string reason)
    {
        // One letter of the row is one byte.
        byte[] file = [.. "text,label\n"u8, .. string.Concat(Enumerable.Range(0, 9).Select(i => $"a{i},{i % 2}\n")).Select(letter => (byte)letter), .. Encoding.Latin1.GetBytes(row), (byte)'\n'];
        var message = Assert.Throws<AttuneException>(() => Rows(file, BadRowPolicy.Fail)).Message;
        Assert.StartsWith($"{Path.Combine(_folder.Path, "data", "train.csv")}, row 10 (line 11): {reason}", message, StringComparison.Ordinal);
        Assert.Contains("; ", message, StringComparison.Ordinal);
        Assert.EndsWith("or leave such rows out with --on-bad-row skip.", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);

        Told.Clear();
        Assert.Equal(9, Rows(file, BadRowPolicy.Quarantine).Count);
        Assert.Contains(Told, line => line.Contains("1 of 10 rows (10 %) left out and written to ", StringComparison.Ordinal));
        Assert.Contains(Told, line => line.StartsWith("  ", StringComparison.Ordinal) && line.Contains($"row 10 (line 11): {reason}", StringComparison.Ordinal));
        var aside = Dataset.FromFile(Path.Combine(_folder.Path, "out", "train.csv.bad-rows.jsonl"));
        Assert.Equal([10L], aside["row"]);
        // Messages keep the text to themselves; the file to mend has it.
        Assert.DoesNotContain(Told, line => line.Contains("b\0c", StringComparison.Ordinal) || line.Contains("\"b,1", StringComparison.Ordinal));
        Assert.NotEmpty((string)aside["text"][0]!);
    }

    [Theory]
    [InlineData("{\"text\": null, \"label\": 1}", "there is no text in the column \"text\"")]
    [InlineData("{\"label\": 1}", "there is no text in the column \"text\"")]
    [InlineData("{\"text\": \"b\"}", "the label is missing")]
    [InlineData("{\"text\": \"b\\u0000\", \"label\": 1}", "the text in the column \"text\" holds NUL characters")]
    [InlineData("{\"text\": \"b\", \"label\": 2}", "the label \"2\" in the column \"label\" is none of its 2 classes")]
    [InlineData("{\"text\": \"b\", \"label\": 4294967295}", "the label \"4294967295\"")]
    [InlineData("{\"text\": \"b\", \"label\": 1", "the line is not a JSON object")]
    [InlineData("[1]", "the row is not a JSON object but a array")]
    [InlineData("{\"text\": \"\\ud800\", \"label\": 1}", "the row holds text that is not valid Unicode")]
    public void Jsonl_UnusableRow_IsNamedOrPutAside(string row, string reason)
    {
        var file = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 9).Select(i => $"{{\"text\": \"a{i}\", \"label\": {i % 2}}}\n")) + row + "\n");
        var message = Assert.Throws<AttuneException>(() => Rows(file, BadRowPolicy.Fail, "train.jsonl")).Message;
        Assert.StartsWith($"{Path.Combine(_folder.Path, "data", "train.jsonl")}, row 10 (line 10): {reason}", message, StringComparison.Ordinal);
        Assert.Equal(9, Rows(file, BadRowPolicy.Quarantine, "train.jsonl").Count);
        Assert.Equal([10L], Dataset.FromFile(Path.Combine(_folder.Path, "out", "train.jsonl.bad-rows.jsonl"))["row"]);
    }

    [Theory]
    [InlineData("\uFEFFtext,label\na,0\nb,1\n")]                             // a byte order mark
    [InlineData("text,label\r\na,0\r\nb,1\r\n")]                             // line ends of Windows
    [InlineData("text,label\n\na,0\n\n\nb,1\n\n")]                           // blank lines
    [InlineData("text,label\na,0\nb,1")]                                     // no line end behind the last row
    [InlineData("\"text\",\"label\"\n\"a\",\"0\"\n\"b\",\"1\"\n")]           // everything quoted
    [InlineData(",text,label\n0,a,0\n1,b,1\n")]                              // an index without a name
    public void Csv_Unusual_IsRead(string text) => Assert.Equal(["a", "b"], Rows(Encoding.UTF8.GetBytes(text), BadRowPolicy.Fail).Texts);

    [Fact]
    public void Csv_FieldOfTenMegabytes_IsReadInEveryFormat()
    {
        var large = new string('é', 5_000_000);
        Assert.Equal(large, Rows(Encoding.UTF8.GetBytes($"text,label\n\"{large}\",0\nb,1\n"), BadRowPolicy.Fail).Texts[0]);
        File.Delete(Path.Combine(_folder.Path, "data", "train.csv"));
        Assert.Equal(large, Rows(Encoding.UTF8.GetBytes($"{{\"text\": \"{large}\", \"label\": 0}}\n{{\"text\": \"b\", \"label\": 1}}\n"), BadRowPolicy.Fail, "train.jsonl").Texts[0]);
    }

    [Fact]
    public void Csv_HeaderTwiceTheSame_IsNamed() => Assert.Contains("train.csv, line 1: the column \"text\" is named twice; give each column a name of its own",
        Assert.Throws<AttuneException>(() => Rows("text,text\na,0\n"u8.ToArray(), BadRowPolicy.Fail)).Message, StringComparison.Ordinal);
}
