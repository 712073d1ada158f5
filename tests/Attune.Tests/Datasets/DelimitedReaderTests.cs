using System.Text;
using Attune.Datasets;
using CsCheck;

namespace Attune.Tests.Datasets;

public sealed class DelimitedReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Dataset Read(string name, string text, DatasetReadOptions? options = null) => Dataset.FromFile(_folder.Write(name, text), options);

    private string Fails(string name, string text, DatasetReadOptions? options = null)
    {
        var message = Assert.Throws<AttuneException>(() => Read(name, text, options)).Message;
        Assert.DoesNotContain('\n', message);
        return message.Replace(_folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_QuotedCells_KeepsCommasQuotesAndLineBreaks()
    {
        var data = Read("a.csv", "\uFEFFtext,label\r\n\"one, \"\"two\"\"\r\nthree\",1\r\n\r\nplain,0\r\n");
        Assert.Equal(["text", "label"], data.ColumnNames);
        Assert.Equal(["one, \"two\"\r\nthree", "plain"], data["text"]);
        Assert.Equal([1L, 0L], data["label"]);
        Assert.Equal((1, 2), (data.PlaceOf(0).Row, data.PlaceOf(0).Line));
        Assert.Equal((2, 5), (data.PlaceOf(1).Row, data.PlaceOf(1).Line));
    }

    [Fact]
    public void Csv_AnyText_ReadsBackWhatWasWritten() =>
        Gen.String[Gen.Char["ab ,;\"\n\t0.é中"], 0, 12].Array[2, 3].Array[1, 8].Sample(rows =>
        {
            var width = rows[0].Length;
            var text = new StringBuilder().AppendJoin(',', Enumerable.Range(0, width).Select(i => $"c{i}")).Append('\n');
            foreach (var row in rows)
                text.AppendJoin(',', Enumerable.Range(0, width).Select(i => $"\"t{row[i % row.Length].Replace("\"", "\"\"", StringComparison.Ordinal)}\"")).Append('\n');
            var data = Read("round.csv", text.ToString());
            for (var i = 0; i < width; i++)
                Assert.Equal(rows.Select(row => "t" + row[i % row.Length]), data[$"c{i}"]);
        }, iter: 200, threads: 1);

    [Fact]
    public void Csv_Columns_AreIntegersFloatsOrText()
    {
        var data = Read("a.csv", "i,f,t,zeros,gaps,words\n1,1.5,1,007,,NA\n-2,2e3,x,010,3,None\n");
        Assert.Equal(FeatureType.Int64, data.Features["i"]);
        Assert.Equal([1.5, 2000.0], data["f"]);
        Assert.Equal(["1", "x"], data["t"]);
        Assert.Equal(["007", "010"], data["zeros"]);
        Assert.Equal([null, 3L], data["gaps"]);
        Assert.Equal(["NA", "None"], data["words"]);
    }

    [Fact]
    public void Csv_SemicolonsInFirstLine_SeparateCells()
    {
        var data = Read("a.csv", "text;score\nx;1.5\ny;2\n");
        Assert.Equal(["text", "score"], data.ColumnNames);
        Assert.Equal([1.5, 2.0], data["score"]);
        Assert.Equal("1.5", data.CastColumn("score", FeatureType.String)["score"][0]);
    }

    [Fact]
    public void Csv_QuoteInsideUnquotedCell_IsText() =>
        Assert.Equal(["5\" disk", "ok"], Read("a.csv", "text,label\n5\" disk,1\nok,0\n")["text"]);

    [Fact]
    public void Csv_WrongNumberOfFields_NamesFileRowAndLine() =>
        Assert.Equal("a.csv, row 2 (line 4): the row has 3 fields, not the 2 of the first line; put quotes around a cell that contains \",\", " +
            "or leave such rows out with --on-bad-row skip.", Fails("a.csv", "text,label\n\"x\ny\",1\na,b,1\n"));

    [Fact]
    public void Csv_TextBehindClosingQuote_NamesRow() =>
        Assert.StartsWith("a.csv, row 1 (line 2): a quoted cell is not closed", Fails("a.csv", "text,label\n\"a\"b,1\n"), StringComparison.Ordinal);

    [Fact]
    public void Csv_QuoteNeverClosed_NamesRowWhereItOpens() =>
        Assert.StartsWith("a.csv, row 2 (line 3): a quoted cell is not closed", Fails("a.csv", "text,label\nok,0\n\"a,1\nb,0\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("1,\"q\"\"", false)]
    [InlineData("1,\"", false)]
    [InlineData("1,\"q\"\"\"\"", false)]
    [InlineData("1,\"q\"\"\"", true)]
    [InlineData("1,\"q\"", true)]
    [InlineData("1,\"\"", true)]
    [InlineData("1,5\"", true)]
    [InlineData("\"a\nb\",5\"\"", true)]
    public void Csv_QuoteAtTheEndOfTheFile_ClosesTheLastCellOrDoesNot(string row, bool isWhole)
    {
        const string header = "label,text\n0,ok\n";
        if (isWhole) Assert.Equal(2, Read("a.csv", header + row)["text"].Count);
        else Assert.StartsWith("a.csv, row 2 (line 3): a quoted cell is not closed", Fails("a.csv", header + row), StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_InvalidUtf8_NamesRow()
    {
        var path = _folder.Write("a.csv", [.. "text,label\nok,0\ncaf"u8, 0xE9, .. ",1\n"u8]);
        Assert.EndsWith("a.csv, row 2 (line 3): the row is not valid UTF-8; save the file as UTF-8, or leave such rows out with --on-bad-row skip.",
            Assert.Throws<AttuneException>(() => Dataset.FromFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_HeaderOnlyOrEmpty_SaysThatThereAreNoRows()
    {
        Assert.Equal("a.csv has no rows; fill it or leave the split out.", Fails("a.csv", "text,label\n"));
        Assert.Equal("b.csv has no rows; fill it or leave the split out.", Fails("b.csv", ""));
    }

    [Fact]
    public void Csv_ColumnNamedTwice_SaysSo() =>
        Assert.StartsWith("a.csv, line 1: the column \"text\" is named twice", Fails("a.csv", "text,text\na,b\n"), StringComparison.Ordinal);

    [Fact]
    public void Csv_WithoutHeader_NamesColumnsByNumberOrAsGiven()
    {
        const string text = "good,1\nbad,0\n";
        Assert.Equal(["column1", "column2"], Read("a.csv", text).ColumnNames);
        Assert.Equal(["text", "label"], Read("a.csv", text, new() { ColumnNames = ["text", "label"] }).ColumnNames);
        const string words = "good,yes\nbad,no\n";
        Assert.Equal(2, Read("d.csv", words, new() { ColumnNames = ["text", "label"] }).NumRows);
        Assert.Equal(1, Read("d.csv", words, new() { ColumnNames = ["Good", "Yes"] }).NumRows);
        Assert.Equal(["good", "yes"], Read("d.csv", words, new() { ColumnNames = ["a", "b", "c"] }).ColumnNames);
        Assert.Equal(["text", "NaN"], Read("e.csv", "text,NaN\na,b\n").ColumnNames);
        Assert.Equal(["x", "good"], Read("b.csv", "a,b\nx,good\n", new() { Header = false })[1].Values);
        Assert.Equal(["0", "1"], Read("c.csv", "0,1\ngood,1\n").ColumnNames);
        Assert.Contains("3 column names are given", Fails("a.csv", text, new() { ColumnNames = ["a", "b", "c"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Tsv_LoneQuotes_AreText()
    {
        var data = Read("a.tsv", "a\tb\tscore\n\"open\tclosed\"\t1.0\n\"both\"\tplain\t2.0\n");
        Assert.Equal(["\"open", "\"both\""], data["a"]);
        Assert.Equal(["closed\"", "plain"], data["b"]);
    }

    [Fact]
    public void Tsv_WrittenWithQuotes_LosesThem()
    {
        Assert.Equal(["tab\there", "plain"], Read("a.tsv", "text\tlabel\n\"tab\there\"\t1\nplain\t0\n")["text"]);
        Assert.Equal(["say \"x\"", "plain"], Read("b.tsv", "text\tlabel\n\"say \"\"x\"\"\"\t1\nplain\t0\n")["text"]);
        Assert.Equal(["x", "y"], Read("c.tsv", "\"text\"\t\"label\"\n\"x\"\t\"1\"\n\"y\"\t\"0\"")["text"]);
    }

    [Fact]
    public void OnBadRow_Skip_LeavesOutAndReportsWithoutText()
    {
        var lines = new List<string>();
        var text = "text,label\n" + string.Concat(Enumerable.Repeat("fine,1\n", 199)) + "secret,1,2\n";
        var data = Read("a.csv", text, new() { OnBadRow = BadRowPolicy.Skip, Warn = lines.Add });

        Assert.Equal(199, data.NumRows);
        Assert.Equal(2, lines.Count);
        Assert.EndsWith("a.csv: 1 of 200 rows (0.5 %) left out.", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("a.csv, row 200 (line 201): the row has 3 fields, not the 2 of the first line", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void OnBadRow_MoreThanTheLimit_Fails()
    {
        var text = "text,label\n" + string.Concat(Enumerable.Repeat("fine,1\n", 98)) + "a,1,2\nb,1,2\n";
        var message = Fails("a.csv", text, new() { OnBadRow = BadRowPolicy.Skip });
        Assert.Contains("2 of 100 rows (2 %) cannot be used, more than the limit of 1 %", message, StringComparison.Ordinal);
        Assert.Equal(98, Read("a.csv", text, new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 0.02 }).NumRows);
    }

    [Theory]
    [InlineData("text;\"a, b\";label\n", new[] { "text", "a, b", "label" })]
    [InlineData("\"a, \"\"b\"\", c\"\tlabel\n", new[] { "a, \"b\", c", "label" })]
    [InlineData("text,\"a; b\"\n", new[] { "text", "a; b" })]
    [InlineData("5\" long;\"x, y\"\n", new[] { "5\" long", "x, y" })]
    [InlineData("\"two\nlines, one cell\";label\n", new[] { "two\nlines, one cell", "label" })]
    public void Csv_DelimiterInsideQuotes_DoesNotCount(string header, string[] names) =>
        Assert.Equal(names, Read("a.csv", header + string.Concat(header.Contains('\t') ? "x\ty\n" : string.Join(header.StartsWith("text,", StringComparison.Ordinal) ? "," : ";", names.Select(_ => "x")) + "\n")).ColumnNames);

    [Fact]
    public void OnBadRow_Quarantine_WritesRowsWithPlaceAndReason()
    {
        var lines = new List<string>();
        var folder = Path.Combine(_folder.Path, "out");
        Read("a.csv", "text,label\nfine,1\nodd,1,\"é\"\n",
            new() { OnBadRow = BadRowPolicy.Quarantine, QuarantineFolder = folder, BadRowLimit = 1, ShowBadRowText = true, Warn = lines.Add });

        var bad = Dataset.FromFile(Path.Combine(folder, "a.csv.bad-rows.jsonl"));
        Assert.Equal([2L], bad["row"]);
        Assert.Equal([3L], bad["line"]);
        Assert.Equal(["odd,1,\"é\"\n"], bad["text"]);
        Assert.Contains("a.csv.bad-rows.jsonl", lines[0], StringComparison.Ordinal);
        Assert.Contains("odd,1", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void FromFile_MissingUnknownOrFolder_SaysWhatToDo()
    {
        Assert.EndsWith("x.csv: there is no such file; check the path.", Error("x.csv"), StringComparison.Ordinal);
        _folder.Write("x.xlsx", "");
        Assert.Contains("the ending \".xlsx\" is not one that can be read (.csv, .tsv, .jsonl, ", Error("x.xlsx"), StringComparison.Ordinal);
        Assert.Contains("is a folder", Error(""), StringComparison.Ordinal);

        string Error(string name) => Assert.Throws<AttuneException>(() => Dataset.FromFile(Path.Combine(_folder.Path, name))).Message;
    }

    [Fact]
    public void Csv_RandomBytes_ReadOrFailWithASentence() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            foreach (var name in new[] { "f.csv", "f.tsv", "f.json", "f.jsonl" })
            {
                var path = _folder.Write(name, bytes);
                try
                {
                    Dataset.FromFile(path, new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 1 });
                }
                catch (AttuneException e)
                {
                    Assert.NotEmpty(e.Message);
                }
            }
        }, iter: 100, threads: 1);
}
