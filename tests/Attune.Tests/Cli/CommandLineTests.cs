using Attune.Cli;
using Attune.Training;

namespace Attune.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("help")]
    [InlineData()]
    public void Help_Overview_NamesEveryVerb(params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run(words));
        Assert.All(CommandLine.Verbs, verb => Assert.Contains($"\n  {verb.Name} ", terminal.Out, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("train", "--help")]
    [InlineData("help", "train")]
    [InlineData("train", "--seed", "1", "-h")]
    public void Help_Train_ShowsEveryArgumentWithItsComment(params string[] words)
    {
        var terminal = new RecordingTerminal(width: 200);
        Assert.Equal(ExitCode.Success, terminal.Run(words));
        foreach (var argument in ArgumentTable.Of<TrainingArguments>().All)
            Assert.Contains(argument.IsSwitch && argument.Default is true ? "--[no-]" + argument.Option[2..] : argument.Option, terminal.Out, StringComparison.Ordinal);
        Assert.Contains("Rows of an evaluation batch. At least 1. Default 8.", terminal.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(200)]
    public void Help_AnyWidth_LinesFit(int width)
    {
        foreach (var verb in CommandLine.Verbs)
            Assert.All(HelpText.Of(verb, width).Split('\n').Where(line => !line.Contains("attune ", StringComparison.Ordinal) && line.Split(' ').Max(word => word.Length) < width - 10),
                line => Assert.True(line.Length <= width, $"{width}: {line}"));
    }

    [Fact]
    public void EveryArgument_HasHelpAndNameOfItsOwn()
    {
        foreach (var verb in CommandLine.Verbs)
        {
            Assert.All(verb.Arguments, argument => Assert.NotEqual("", argument.Help));
            var names = verb.Arguments.SelectMany(argument => new[] { argument.Name, argument.Alias }.OfType<string>()).ToList();
            Assert.Equal(names.Distinct(), names);
        }
    }

    [Theory]
    [InlineData("attune: there is no verb \"trian\". Did you mean \"train\"? See attune --help.\n", "trian")]
    [InlineData("attune: there is no verb \"frobnicate\". See attune --help.\n", "frobnicate")]
    [InlineData("attune: the first word must be a verb, such as \"attune train --model\"; see attune --help.\n", "--model", "x", "train")]
    [InlineData("attune: attune train takes no word by itself, such as \"x\"; see attune train --help.\n", "train", "--seed", "1", "x")]
    [InlineData("attune: --quiet and --verbose contradict each other; leave one out.\n", "doctor", "--quiet", "--verbose")]
    [InlineData("attune: attune evaluate takes one model; name it once.\n", "evaluate", "a", "b")]
    [InlineData("attune: Give either texts or --file, not both.\n", "predict", "a", "--file", "b.csv")]
    [InlineData("attune: threshold is x; it must be a probability from 0 to 1, auto or auto_micro.\n", "predict", "a", "--threshold", "x")]
    [InlineData("attune: top_k is 0; it must be at least 1.\n", "predict", "a", "--top-k", "0")]
    [InlineData("attune: abstain_below is 1.5; it must be a probability from 0 to 1.\n", "predict", "a", "--abstain-below", "1.5")]
    [InlineData("attune: max_bad_rows is -1; give a share of the rows such as 0.01, or a number of rows.\n", "predict", "--file", "a.csv", "--max-bad-rows", "-1")]
    [InlineData("attune: --keep-columns is for --file; texts by themselves have no columns.\n", "predict", "a", "--keep-columns", "id")]
    [InlineData("attune: --bf16 is for --engine torch; leave one of them out.\n", "predict", "a", "--engine", "onnx", "--bf16")]
    [InlineData("attune: --fp16 is for --engine torch; leave one of them out.\n", "predict", "a", "--engine", "onnx", "--fp16")]
    [InlineData("attune: --bf16 and --fp16 both say how products are computed; give one of them.\n", "predict", "a", "--bf16", "--fp16")]
    [InlineData("attune: --bf16 and --fp16 both say how products are computed; give one of them.\n", "evaluate", "--bf16", "--fp16-full-eval")]
    [InlineData("attune: device is gpu; it must be auto, cpu, cuda, or cuda:N with the number of a card, from 0.\n", "predict", "a", "--device", "gpu")]
    [InlineData("attune: device is cuda:x; it must be auto, cpu, cuda, or cuda:N with the number of a card, from 0.\n", "train", "--device", "cuda:x")]
    [InlineData("attune: device is gpu; it must be auto, cpu, cuda, or cuda:N with the number of a card, from 0.\n", "serve", "--device", "gpu")]
    [InlineData("attune: device is gpu; it must be auto, cpu, cuda, or cuda:N with the number of a card, from 0.\n", "pretrain", "--train-file", "x.txt", "--device", "gpu")]
    [InlineData("attune: threshold is x; it must be a probability from 0 to 1, auto or auto_micro.\n", "serve", "--threshold", "x")]
    [InlineData("attune: abstain_below is 1.5; it must be a probability from 0 to 1.\n", "serve", "--abstain-below", "1.5")]
    [InlineData("attune: batch_size is 0; it must be at least 1.\n", "serve", "--per-device-eval-batch-size", "0")]
    [InlineData("attune: --output-format parquet needs --output-file.\n", "predict", "a", "--output-format", "parquet")]
    public void Usage_Wrong_IsOneLineAndExitCode2(string expected, params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal((ExitCode.Usage, expected, ""), (terminal.Run(words), terminal.Error, terminal.Out));
    }

    [Fact]
    public void Tokenize_WithoutText_NamesOnlyWhatItTakes()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("tokenize", "--model", "attune/mini"));
        Assert.Equal("attune: There is no text: give texts as words, or one a line on standard input.\n", terminal.Error);
    }

    [Fact]
    public void Train_EmbeddedEncoderAndWrongFile_SaysOnlyWhatIsWrong()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("train", "--train-file", "no-such-file.csv", "--output-dir", "no-such-run"));
        Assert.Equal("attune: no-such-file.csv: there is no such file; check the path.\n", terminal.Error);
        Assert.False(Directory.Exists("no-such-run"));
    }

    [Fact]
    public void Version_IsThatOfTheProgram()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("--version"));
        Assert.Matches(@"^attune \d+\.\d+\.\d+\n$", terminal.Out);
    }

    [Fact]
    public void Output_DiskFull_IsOneLineAndFailure()
    {
        using var error = new StringWriter { NewLine = "\n" };
        using var output = new FullDisk();
        Assert.Equal(ExitCode.Failure, CommandLine.Run(["--version"], new Terminal(() => new StringReader(""), output, error, isLive: false, width: () => 80)));
        Assert.Equal("attune: standard output cannot be written: no space is left on the disk; free some space or write to another disk.\n", error.ToString());
    }

    [Fact]
    public void Evaluate_OutputDirIsAFile_IsSaidBeforeAnythingIsComputed()
    {
        using var folder = new Datasets.TemporaryFolder();
        var file = folder.Write("results", "");
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("evaluate", "no-such-model", "--output-dir", file));
        Assert.StartsWith($"attune: {file} cannot be written: ", terminal.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of Attune", terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokenize_EmbeddedVocabulary_ShowsIdsTokensAndPlaces()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("tokenize", "--model", "attune/mini", "The café", "--text-pair", "[SEP]"));
        var rows = terminal.Out.TrimEnd('\n').Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(["id", "token", "place", "type"], rows[0]);
        Assert.Equal("[CLS]", rows[1][1]);
        Assert.Equal(["the", "0-3", "0"], rows[2][1..]);
        Assert.Contains(rows, row => row is [_, "[", "0-1", "1"]);      // the text [SEP] is text
    }

    [Fact]
    public void Tokenize_Json_HasTheNamesOfTransformers()
    {
        var terminal = new RecordingTerminal(input: "the 😀 the\nthe\n");
        Assert.Equal(ExitCode.Success, terminal.Run("tokenize", "--json", "--model", "attune/mini", "--max-length", "4"));
        var lines = terminal.Out.TrimEnd('\n').Split('\n').Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(2, lines.Count);
        Assert.Equal(4, lines[0].GetProperty("input_ids").GetArrayLength());
        Assert.Equal([4, 5], lines[0].GetProperty("offset_mapping")[2].EnumerateArray().Select(place => place.GetInt32()));   // code points
        Assert.Equal("the", lines[1].GetProperty("tokens")[1].GetString());
        Assert.Equal([0, 1], lines.Select(line => line.GetProperty("index").GetInt32()));
        Assert.Equal([1, 0, 1], lines[1].GetProperty("special_tokens_mask").EnumerateArray().Select(mask => mask.GetInt32()));
    }

    [Fact]
    public void Tokenize_JsonOfWindows_SaysOfWhichTextEachIs()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("tokenize", "--json", "--model", "attune/mini", "--max-length", "4", "--long-texts", "windows", "--window-stride", "0", "a b c", "a"));
        Assert.Equal([0, 0, 1], terminal.Out.TrimEnd('\n').Split('\n').Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("index").GetInt32()));
    }

    [Theory]
    [InlineData("threshold is 2; it must be ", "--threshold", "2")]
    [InlineData("--save-thresholds writes what --threshold auto chooses", "--save-thresholds")]
    public void Evaluate_ImpossibleThreshold_IsWrongUsageBeforeAnyModelIsLoaded(string message, params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run(["evaluate", "no-such-model", .. words]));
        Assert.StartsWith("attune: " + message, terminal.Error, StringComparison.Ordinal);
    }

    /// <summary>What a full disk does: nothing arrives.</summary>
    private sealed class FullDisk : TextWriter
    {
        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;

        public override void Write(char value)
        {
        }

        public override void Flush() => throw new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);
    }
}
