using System.Text.Json.Nodes;
using System.Xml.Linq;
using Attune.Cli;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

public sealed class InspectCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingTerminal _terminal = new();
    private readonly string _train, _dev;

    public InspectCommandTests()
    {
        _train = _folder.Write("train.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 24).Select(i => $"the film number {i} was <b>{(i % 2 == 0 ? "good" : "bad")}</b>,{(i % 2 == 0 ? "good" : "bad")}\n")));
        _dev = _folder.Write("dev.csv", "text,label\nThe film number 3 was <b>bad</b>,bad\n\"a \"\"new\"\" one & more\",good\n");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Report_AsJson_HasSplitsFindingsAndFailures()
    {
        Assert.Equal(ExitCode.Failure, Run("--no-probe", "--json", "--fail-on", "conflicts,leakage"));
        var json = JsonNode.Parse(_terminal.Out)!;
        Assert.Equal((24, 2), ((int)json["splits"]!["train"]!["rows"]!, (int)json["splits"]!["validation"]!["rows"]!));
        Assert.Equal(12, (int)json["splits"]!["train"]!["classes"]!["good"]!["rows"]!);
        var leak = json["findings"]!.AsArray().Single(finding => (string)finding!["kind"]! == "leakage")!;
        Assert.Equal((1, 1, "warning"), ((int)leak["rows"]!, (int)leak["rows_by_case_only"]!, (string)leak["level"]!));
        Assert.Equal($"{_dev}, row 1 (line 2)", (string)leak["examples"]![0]![0]!["place"]!);
        Assert.Equal(["leakage"], json["failed_on"]!.AsArray().Select(name => (string)name!));
        Assert.Null(json["estimate"]);
        Assert.Equal("attune: --fail-on: found leakage.", _terminal.Told[^1]);
    }

    [Theory]
    [InlineData("conflicts", ExitCode.Success)]
    [InlineData("length-shift", ExitCode.Success)]
    [InlineData("warnings", ExitCode.Failure)]
    [InlineData("any", ExitCode.Failure)]
    [InlineData("Leakage", ExitCode.Usage)]
    [InlineData("leaks", ExitCode.Usage)]
    public void FailOn_Names_DecideTheExitCode(string names, int code) => Assert.Equal(code, Run("--no-probe", "--fail-on", names));

    [Fact]
    public void FailOn_UnknownName_SaysWhichThereAre()
    {
        Run("--no-probe", "--fail-on", "leakge");
        Assert.StartsWith("attune: fail_on is leakge, which is nothing that is looked for. Did you mean \"leakage\"? It takes leakage, conflicts, duplicates, empty, one_word, label_spellings,",
            _terminal.Told[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Report_AsText_NamesRowsAndRemedies()
    {
        Assert.Equal(ExitCode.Success, Run("--no-probe"));
        Assert.Contains("leakage: 1 row (50 %) of the split validation has its text in train too when case is ignored.\n    -> Remove them", _terminal.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Matches("\n\"good\" +12 +50 % +1 +50 %\n", _terminal.Out.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Shares_InTextAndOnThePage_HaveTheSameDigits()
    {
        var (rows, page) = (_folder.Write("three.csv", "text,label\na good film,good\nanother good film,good\na bad film,bad\n"), Path.Combine(_folder.Path, "page.html"));
        Assert.Equal(ExitCode.Success, _terminal.Run("inspect", "--train-file", rows, "--no-probe", "--output-file", page));
        Assert.Matches("\n\"good\" +2 +66.67 %\n", _terminal.Out.ReplaceLineEndings("\n"));
        var text = File.ReadAllText(page);
        Assert.Contains(">66.67 %<", text, StringComparison.Ordinal);
        Assert.Contains("2 (66.67 %)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfTextsWithMarkup_IsOneFileWithoutScriptOrLink()
    {
        var page = Path.Combine(_folder.Path, "page.html");
        Assert.Equal(ExitCode.Success, Run("--no-probe", "--output-file", page));
        var text = File.ReadAllText(page);
        var html = XDocument.Parse(text.Replace("<!DOCTYPE html>\n", "", StringComparison.Ordinal));
        Assert.Contains("The film number 3 was <b>bad</b>", html.Root!.Value, StringComparison.Ordinal);
        Assert.DoesNotContain(html.Descendants(), element => element.Name.LocalName is "script" or "link" or "img" or "b");
        Assert.True(html.Descendants().Count(element => element.Name.LocalName == "svg") >= 3);
        Assert.DoesNotContain("http", text.Replace("http://www.w3.org", "", StringComparison.Ordinal).Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCode.Failure, "attune: no/such.csv: there is no such file", "--no-probe", "--train-file", "no/such.csv")]
    [InlineData(ExitCode.Failure, "attune: \"../no/such/folder\" is neither an existing folder", "--no-probe", "--train-file", "{train}", "--model", "../no/such/folder")]
    [InlineData(ExitCode.Failure, "attune: {empty} has no rows", "--no-probe", "--train-file", "{train}", "--validation-file", "{empty}")]
    [InlineData(ExitCode.Failure, "attune: {train}: there is no text column \"review\"", "--no-probe", "--train-file", "{train}", "--text-column-names", "review")]
    [InlineData(ExitCode.Failure, "attune: nowhere/x.html cannot be written", "--no-probe", "--train-file", "{train}", "--output-file", "nowhere/x.html")]
    [InlineData(ExitCode.Usage, "attune: examples is -1; it must be at least 0.", "--examples", "-1")]
    [InlineData(ExitCode.Usage, "attune: probe_steps is 0; it must be at least 1.", "--probe-steps", "0")]
    [InlineData(ExitCode.Usage, "attune: learning_rate is -1; it must be at least 0.", "--train-file", "{train}", "--learning-rate", "-1")]
    public void WrongInput_EndsInOneSentence(int code, string sentence, params string[] words)
    {
        var empty = _folder.Write("empty.csv", "text,label\n");
        string Filled(string text) => text.Replace("{train}", _train, StringComparison.Ordinal).Replace("{empty}", empty, StringComparison.Ordinal);
        Assert.Equal(code, _terminal.Run(["inspect", .. words.Select(Filled)]));
        Assert.StartsWith(Filled(sentence), _terminal.Told[^1], StringComparison.Ordinal);
        Assert.Equal("", _terminal.Out);
    }

    [Fact]
    public void Report_ControlCharactersInTheData_DoNotReachTheTerminal()
    {
        // A label of each kind of finding: cut, rare, misspelled, missing in training, of an example.
        var train = _folder.Write("escape.csv", "text,label\n\u001b[31mred \u001b[0m,go\u001bod\n" + string.Concat(Enumerable.Repeat("one two three four five six,b\u001bad\n", 30)) + "a,b\u001b ad\n");
        var dev = _folder.Write("escape-dev.csv", "text,label\n\u001b[31mred \u001b[0m,other\u001b\n\u009bx,go\u001bod\n");
        Assert.Equal(ExitCode.Success, _terminal.Run("inspect", "--no-probe", "--train-file", train, "--validation-file", dev, "--max-length", "5"));
        foreach (var found in new[] { "leakage:", "cut:", "imbalance:", "missing_classes:", "label_spellings:", "label_shift:" }) Assert.Contains(found, _terminal.Out, StringComparison.Ordinal);
        Assert.Contains("[\"go\uFFFDod\"]", _terminal.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(_terminal.Out + _terminal.Error, character => char.IsControl(character) && character != '\n');
    }

    [Fact]
    public void Report_LeaksAndEmptyTexts_AreToldOnce()
    {
        var dev = _folder.Write("leaks.csv", "text,label\nthe film number 3 was <b>bad</b>,bad\n\"  \",good\n");
        Assert.Equal(ExitCode.Success, _terminal.Run("inspect", "--no-probe", "--train-file", _train, "--validation-file", dev));
        Assert.Contains("leakage: 1 row (50 %)", _terminal.Out, StringComparison.Ordinal);
        Assert.Contains("empty: 1 row (50 %)", _terminal.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(_terminal.Told, line => line.StartsWith("Warning:", StringComparison.Ordinal));
    }

    [Fact]
    public void OneClass_AndRowsWithoutLabels_AreReported()
    {
        var one = _folder.Write("one.csv", "text,label\na film,good\na book,good\n");
        Assert.Equal(ExitCode.Failure, _terminal.Run(["inspect", "--no-probe", "--train-file", one, "--fail-on", "missing_classes"]));
        Assert.Contains("Every row of the split train has the label \"good\".", _terminal.Out, StringComparison.Ordinal);
        var texts = _folder.Write("texts.csv", "text\na film\n");
        Assert.Equal(ExitCode.Success, new RecordingTerminal().Run(["inspect", "--no-probe", "--test-file", texts]));
    }

    private int Run(params string[] words) => _terminal.Run(["inspect", "--train-file", _train, "--validation-file", _dev, .. words]);
}
