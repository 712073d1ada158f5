using System.Text.Json.Nodes;
using Attune.Cli;
using Attune.Cli.Answers;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli.Answers;

/// <summary>Runs that are broken off anywhere, without libtorch: what comes out in the end is what one run gives.</summary>
public sealed class PredictRunTests : IDisposable
{
    private const int Rows = 50, BlockRows = 8;
    private readonly TemporaryFolder _folder = new(inMemory: true);
    private readonly List<string> _told = [];

    public void Dispose() => _folder.Dispose();

    private string Output => Path.Combine(_folder.Path, "answers");

    [Theory]
    [InlineData(OutputFormat.Text)]
    [InlineData(OutputFormat.Csv)]
    [InlineData(OutputFormat.Json)]
    [InlineData(OutputFormat.Jsonl)]
    [InlineData(OutputFormat.Parquet)]
    public void BrokenOffAfterAnyBatches_EndsWithTheSameBytes(OutputFormat format)
    {
        var what = Arguments(format);
        Run(what);
        var whole = File.ReadAllBytes(Output);
        Assert.Equal([Output], Directory.GetFiles(_folder.Path, "answers*"));
        for (var batches = 0; batches <= Rows / 4; batches++)
        {
            File.Delete(Output);
            for (var times = 1; !Run(what, batches); times++)
            {
                Assert.False(File.Exists(Output));
                Assert.True(times < 20 || batches < 2, "It does not get on.");
                if (times == 20) break;                                     // a block is two batches: with fewer there is never one
            }
            if (batches >= 2) Assert.True(whole.AsSpan().SequenceEqual(File.ReadAllBytes(Output)), $"broken off after {batches} batches");
            foreach (var left in Directory.GetFiles(_folder.Path, "answers.*")) File.Delete(left);
        }
    }

    [Fact]
    public void Killed_WithAHalfWrittenBlock_ItsEndIsDropped()
    {
        var what = Arguments(OutputFormat.Csv);
        Run(what);
        var whole = File.ReadAllBytes(Output);
        Assert.False(Run(what, batches: 5));
        File.AppendAllText(AnswerFile.PartialOf(Output), "half an ans");
        Assert.True(Run(what));
        Assert.Equal(whole, File.ReadAllBytes(Output));
    }

    [Fact]
    public void RenamedButJournalLeft_BeginsAnew()
    {
        var what = Arguments(OutputFormat.Csv);
        Assert.False(Run(what, batches: 5));
        File.Move(AnswerFile.PartialOf(Output), Output);
        Assert.True(Run(what));
        Assert.Equal(Rows + 1, File.ReadAllLines(Output).Length);
        Assert.Equal([Output], Directory.GetFiles(_folder.Path, "answers*"));
    }

    [Theory]
    [InlineData("option", "{0}.partial holds 16 answers of an unfinished run with another --top-k; give the same to go on with it, or --no-resume to begin anew.")]
    [InlineData("model", "{0}.partial holds 16 answers of an unfinished run with another model; give the same to go on with it, or --no-resume to begin anew.")]
    [InlineData("version", "{0}.partial holds 16 answers of an unfinished run by another version of Attune; give the same to go on with it, or --no-resume to begin anew.")]
    [InlineData("text", "rows.jsonl: the first 16 texts are not those that were answered before; give the same texts to go on, or --no-resume to begin anew.")]
    [InlineData("fewer", "rows.jsonl: the first 16 texts are not those that were answered before; give the same texts to go on, or --no-resume to begin anew.")]
    [InlineData("damage", "{0}.partial is not what was written into it; give --no-resume to begin anew.")]
    [InlineData("cut", "{0}.partial is not what was written into it; give --no-resume to begin anew.")]
    [InlineData("journal", "{0}.partial.json is no account of an unfinished prediction; give --no-resume to begin anew.")]
    [InlineData("words", "{0}.partial holds 16 answers of an unfinished run of texts from a file or standard input; give the same to go on with it, or --no-resume to begin anew.")]
    public void SomethingElseThanBefore_IsRefusedAndBegunAnewWhenAsked(string what, string message)
    {
        var arguments = Arguments(OutputFormat.Csv);
        Assert.False(Run(arguments, batches: 5));
        var (partial, journal) = (AnswerFile.PartialOf(Output), AnswerFile.JournalOf(Output));
        var (rows, model, words) = (Texts(), "m", what == "words");
        switch (what)
        {
            case "option": arguments = arguments with { TopK = 1 }; break;
            case "model": model = "other"; break;
            case "text": rows[15] = "very film"; break;
            case "fewer": rows = rows[..10]; break;
            case "version": Edit(json => json["options"]!["attune_version"] = "0.0.1"); break;
            case "damage":
                var bytes = File.ReadAllBytes(partial);
                bytes[3] ^= 1;
                File.WriteAllBytes(partial, bytes);
                break;
            case "cut": File.WriteAllBytes(partial, File.ReadAllBytes(partial)[..20]); break;
            case "journal": Edit(json => json["rows"] = -1); break;
        }
        var before = File.ReadAllBytes(journal);
        Assert.Equal(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, Output),
            Assert.Throws<AttuneException>(() => Run(arguments, texts: rows, model: model, areWords: words)).Message);
        Assert.Equal(before, File.ReadAllBytes(journal));                   // nothing is lost by the refusal
        Assert.True(Run(arguments with { Resume = false }, texts: rows, model: model, areWords: words));
        Assert.Equal(rows.Length + 1, File.ReadAllLines(Output).Length);

        void Edit(Action<JsonObject> change)
        {
            var json = JsonNode.Parse(File.ReadAllText(journal))!.AsObject();
            change(json);
            File.WriteAllText(journal, json.ToJsonString());
        }
    }

    [Fact]
    public void LaterText_Changed_IsTakenAsItIsNow()
    {
        var what = Arguments(OutputFormat.Text);
        Assert.False(Run(what, batches: 5));
        var rows = Texts();
        rows[16] = "very very film";
        Assert.True(Run(what, texts: rows));
        Assert.EndsWith("\tvery very film", File.ReadAllLines(Output)[16], StringComparison.Ordinal);
    }

    [Fact]
    public void SameOutput_ByTwo_TheSecondIsRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "Locks within one process are Linux's and Windows'.");
        using var first = AnswerFile.Open(Output, null, resume: true, TimeProvider.System);
        Assert.Equal($"{Output} is being written by another attune predict; wait for it, or choose another --output-file.",
            Assert.Throws<AttuneException>(() => AnswerFile.Open(Output, null, resume: true, TimeProvider.System)).Message);
    }

    [Fact]
    public void Counts_OfTextsCutAndAbstained_GoOn()
    {
        var what = Arguments(OutputFormat.Text) with { AbstainBelow = 0.99 };
        var rows = Texts();
        rows[1] = rows[40] = string.Join(' ', Enumerable.Repeat("very", 40));
        var (cut, abstained) = (0L, 0L);
        Run(what, texts: rows, ended: run => (cut, abstained) = (run.TextsCut, run.Abstained));
        Assert.Equal(2, cut);
        Assert.InRange(abstained, 10, Rows);
        Assert.False(Run(what, batches: 5, texts: rows));
        Run(what, texts: rows, ended: run => Assert.Equal((cut, abstained, Rows), (run.TextsCut, run.Abstained, run.Rows)));
    }

    private PredictArguments Arguments(OutputFormat format) => new() { OutputFormat = format, OutputFile = Output };

    private static string[] Texts()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Rows).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(12)).Select(_ => SummingEngine.Words[random.Next(5, 10)])))];
    }

    /// <summary>Runs, and is gone without a word after some batches.</summary>
    /// <returns>Whether it came to its end.</returns>
    private bool Run(PredictArguments what, int batches = int.MaxValue, string[]? texts = null, string model = "m", bool areWords = false, Action<PredictRun>? ended = null)
    {
        using var classifier = SummingEngine.Classifier(_folder, ProblemType.SingleLabelClassification, out var engine, what.AbstainBelow, "no", "yes");
        var clock = new BatchClock();
        engine.BeforeBatch = () =>
        {
            clock.Hours++;
            if (batches-- == 0) throw new OperationCanceledException();
        };
        var inputs = new InputTexts((texts ?? Texts()).Select((text, i) => new TextInput(text, null) { Row = i + 1 }), ArePairs: false) { Source = "rows.jsonl" };
        var rules = new AnswerRules(ProblemType.SingleLabelClassification, classifier.LabelNames, what.TopK);
        var columns = new AnswerColumns(inputs, rules);
        var options = AnswerOrigin.OptionsOf(what, new ModelArguments(), what.Form, inputs);
        using var file = AnswerFile.Open(Output, areWords ? null : new AnswerOrigin(options, Task.FromResult(model)), what.Resume, clock);
        using var run = new PredictRun(classifier, inputs, file);
        var text = new StreamWriter(file.Stream, leaveOpen: true);          // as in the command, nothing closes it
        var writer = AnswerWriter.Of(what.Form, columns, text, file.Stream, file.Saved is null);
        try
        {
            run.Answer(writer, BlockRows, null, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        writer.End();
        writer.Flush();
        file.Finish(what.Form == OutputFormat.Parquet ? (cells, output) => ParquetAnswers.Convert(columns, cells, output) : null);
        ended?.Invoke(run);
        return true;
    }

    /// <summary>An hour goes by with each batch and none while answers are saved, so that it is always time to save.</summary>
    private sealed class BatchClock : TimeProvider
    {
        internal long Hours { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Hours * 3600;
    }
}
