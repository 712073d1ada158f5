using System.CommandLine;
using System.Globalization;
using Attune.Cli;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Training;
using Argument = Attune.Training.Argument;

namespace Attune.Tests.Cli;

public sealed class VerbParserTests
{
    [Theory]
    [InlineData("--learning-rate", "2e-5")]
    [InlineData("--learning_rate", "2e-5")]
    [InlineData("--learning-rate=2e-5")]
    [InlineData("--learning_rate=0.00002")]
    [InlineData("--learning-rate", "1", "--learning-rate", "2e-5")]
    public void Number_AllSpellings_IsRead(params string[] words) => Assert.Equal(2e-5, Train(words).LearningRate);

    [Fact]
    public void Number_CultureWithDecimalComma_IsReadWithAPoint()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (german.NumberFormat.NumberDecimalSeparator, german.NumberFormat.NumberGroupSeparator) = (",", ".");
            CultureInfo.CurrentCulture = german;
            Assert.Equal(0.01, Train("--weight-decay", "0.01").WeightDecay);
            Assert.Equal("attune: weight_decay is 0,01; it must be a number.\n", Refused("--weight-decay", "0,01"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData(true, "--group-by-length")]
    [InlineData(true, "--group_by_length", "true")]
    [InlineData(true, "--group-by-length", "1")]
    [InlineData(true, "--group-by-length=YES")]
    [InlineData(false, "--group-by-length=no")]
    [InlineData(false, "--group-by-length", "f")]
    [InlineData(false)]
    public void Switch_WordsOfHuggingFace_AreRead(bool expected, params string[] words) => Assert.Equal(expected, Train(words).GroupByLength);

    [Fact]
    public void Switch_DefaultTrue_HasANegation()
    {
        Assert.True(Train().RestoreCallbackStatesFromCheckpoint);
        Assert.False(Train("--no-restore-callback-states-from-checkpoint").RestoreCallbackStatesFromCheckpoint);
        Assert.False(Train("--no_restore_callback_states_from_checkpoint").RestoreCallbackStatesFromCheckpoint);
    }

    [Theory]
    [InlineData(true, "--do-regression")]
    [InlineData(true, "--do_regression", "--seed", "1")]
    [InlineData(true, "--do-regression", "true")]
    [InlineData(false, "--do-regression", "no")]
    [InlineData(false, "--do-regression=false")]
    [InlineData(null, "--do-regression", "none")]
    [InlineData(null)]
    public void OptionalSwitch_AloneMeansTrue(bool? expected, params string[] words) =>
        Assert.Equal(expected, Parse(words).Create<DataArguments>().DoRegression);

    [Theory]
    [InlineData(true, "--do-regression", "run")]
    [InlineData(false, "--do-regression", "false", "run")]
    [InlineData(true, "--do-regression", "--", "run")]
    [InlineData(true, "run", "--do-regression")]
    public void OptionalSwitch_BeforeAText_LeavesIt(bool expected, params string[] words)
    {
        var values = Parse(EvaluateCommand.Verb, words);
        Assert.Equal(expected, values.Create<DataArguments>().DoRegression);
        Assert.Equal(["run"], values.Texts);
    }

    [Fact]
    public void Value_Missing_IsRefused()
    {
        Assert.Equal("attune: --seed needs a value.\n", Refused("--seed"));
        Assert.Equal("attune: --seed needs a value, but is followed by --greater-is-better.\n", Refused("--seed", "--greater-is-better", "true"));
        Assert.Equal("attune: do_regression is perhaps; it must be true or false.\n", Refused("--do-regression", "perhaps"));
    }

    [Theory]
    [InlineData("--report-to", "none")]
    [InlineData("--report_to=none")]
    public void List_TheWordNone_IsKept(params string[] words) => Assert.Equal(["none"], Train(words).ReportTo);

    [Fact]
    public void Config_None_IsNullOnlyWhereThatIsAllowed()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(["none"], Train(folder.Write("none.json", """{"report_to": "none"}""")).ReportTo);
        Assert.Null(Parse("--config", folder.Write("text.json", """{"text_column_names": null}""")).Create<DataArguments>().TextColumnNames);
        Assert.Equal("attune: output_dir is null; it must be text.\n", Refused("--config", folder.Write("dir.json", """{"output_dir": null}""")));
        Assert.Equal("attune: report_to is null; it must be text.\n", Refused("--config", folder.Write("list.json", """{"report_to": null}""")));
    }

    [Theory]
    [InlineData("per_device_train_batch_size is 0; it must be at least 1", "--per-device-train-batch-size", "0")]
    [InlineData("gradient_accumulation_steps is 0; it must be at least 1", "--gradient-accumulation-steps", "0")]
    [InlineData("warmup_ratio is 2; it must lie between 0 and 1", "--warmup-ratio", "2")]
    public void ValueOutOfRange_IsRefusedBeforeAnythingIsRead(string expected, params string[] words) =>
        Assert.StartsWith("attune: " + expected, Refused([.. words, "--train-file", "no-such-file.csv"]), StringComparison.Ordinal);

    [Theory]
    [InlineData("--metrics", "accuracy", "f1")]
    [InlineData("--metrics", "accuracy,f1")]
    [InlineData("--metrics=accuracy", "--metrics=f1")]
    public void List_SeveralWordsOrCommas_IsRead(params string[] words) =>
        Assert.Equal(["accuracy", "f1"], Parse(words).Create<DataArguments>().Metrics);

    [Theory]
    [InlineData("--evaluation-strategy")]
    [InlineData("--evaluation_strategy")]
    [InlineData("--eval-strategy")]
    public void Alias_EvaluationStrategy_IsAccepted(string option) => Assert.Equal(IntervalStrategy.Epoch, Train(option, "epoch").EvalStrategy);

    [Fact]
    public void Alias_MaxSeqLength_IsMaxLength() => Assert.Equal(64, Parse("--max_seq_length", "64").Create<ModelArguments>().MaxLength);

    [Fact]
    public void NegativeNumber_AfterAnOption_IsItsValue() => Assert.Equal(-1, Train("--max-steps", "-1").MaxSteps);

    [Fact]
    public void EveryTrainingArgument_BothSpellings_IsAnOption()
    {
        foreach (var argument in ArgumentTable.Of<TrainingArguments>().All)
        {
            var value = argument.IsSwitch ? "true" : Text(argument);
            foreach (var option in new[] { argument.Option, "--" + argument.Name })
                Assert.Equal(Argument.ToJson(argument.Parse(value))?.ToJsonString(), Argument.ToJson(argument.Read(Train(option, value)))?.ToJsonString());
        }

        static string Text(Argument argument) =>
            argument.Choices is [var first, ..] ? first : argument.Type == typeof(string) || argument.IsList ? "x"
            : argument.Type == typeof(bool) ? "false" : argument.Type == typeof(TimeSpan) ? "90m" : argument.Type == typeof(System.Text.Json.Nodes.JsonObject) ? "{}" : "7";
    }

    [Theory]
    [InlineData("--lerning-rate", "--learning-rate")]
    [InlineData("--learning_rates=3", "--learning-rate")]
    [InlineData("--per-device-train-batchsize", "--per-device-train-batch-size")]
    public void Unknown_NearAnOption_SaysWhich(string word, string meant) =>
        Assert.Equal($"attune: there is no option {word.Split('=')[0]}. Did you mean \"{meant}\"? See attune train --help.\n", Refused(word));

    [Fact]
    public void Unknown_Enumeration_NamesTheChoices() =>
        Assert.Equal("attune: eval_strategy is epochs; it must be one of no, steps, epoch.\n", Refused("--eval-strategy", "epochs"));

    [Fact]
    public void OtherTrainingArgument_WithoutEffect_IsNoticed()
    {
        Assert.Equal(["fsdp has no effect: it is off."], Parse("--fsdp", "no").Notices);
        Assert.Equal("attune: trust_remote_code is not available: Attune runs no code of a repository; leave it out.\n", Refused("--trust-remote-code"));
    }

    [Fact]
    public void Config_MergedWithOptions_OptionsWin()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("run.json", """{"learning_rate": 1e-3, "seed": 7, "model": "m", "metrics": ["f1"], "evaluation_strategy": "epoch"}""");
        var values = Parse("--seed", "8", "--config", file);
        var arguments = values.Create<TrainingArguments>();
        Assert.Equal((1e-3, 8, IntervalStrategy.Epoch), (arguments.LearningRate, arguments.Seed, arguments.EvalStrategy));
        Assert.Equal(("m", "f1"), (values.Create<ModelArguments>().Model, values.Create<DataArguments>().Metrics[0]));
        Assert.Equal(1e-3, Train(file).LearningRate);                   // the only word, as with transformers' scripts
    }

    [Fact]
    public void Config_RevisionOfAnotherRepository_IsNotTaken()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("run.json", """{"model": "org/one", "model_revision": "abc", "dataset": "org/rows", "dataset_revision": "def"}""");
        Assert.Equal("abc", Parse("--config", file).Create<ModelArguments>().ModelRevision);
        Assert.Null(Parse("--config", file, "--model", "org/other").Create<ModelArguments>().ModelRevision);
        Assert.Equal("def", Parse("--config", file, "--model", "org/other").Create<DataArguments>().DatasetRevision);
        Assert.Equal("v2", Parse("--config", file, "--model", "org/other", "--model-revision", "v2").Create<ModelArguments>().ModelRevision);
        Assert.Null(Parse("--config", file, "--dataset-name", "org/other").Create<DataArguments>().DatasetRevision);
    }

    [Fact]
    public void Config_UnknownName_IsRefusedWithTheFile()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("run.json", """{"lerning_rate": 1e-3}""");
        Assert.Equal($"attune: {file}, line 1: \"lerning_rate\" is no argument of attune train. Did you mean \"learning_rate\"?\n", Refused("--config", file));
    }

    [Fact]
    public void Texts_AtSignAndSwitch_AreTexts()
    {
        var values = Parse(PredictCommand.Verb, "@user great", "--json", "no", "-1", "- no comment", "--", "--json", "-x");
        Assert.Equal(["@user great", "no", "-1", "- no comment", "--json", "-x"], values.Texts);
        Assert.True(values.Create<OutputArguments>().Json);
    }

    [Fact]
    public void Texts_SwitchWithValue_IsRead()
    {
        Assert.False(Parse(PredictCommand.Verb, "--json=no", "text").Create<OutputArguments>().Json);
        Assert.True(Parse(PredictCommand.Verb, "--json=yes", "text").Create<OutputArguments>().Json);
    }

    [Fact]
    public void Texts_MisspelledOption_IsNoText()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run("predict", "--jsno", "a text"));
        Assert.Equal("attune: there is no option --jsno. Did you mean \"--json\"? See attune predict --help; put -- before texts that begin with a hyphen.\n", terminal.Error);
    }

    [Fact]
    public void Schedule_Words_AreThoseOfTransformers() =>
        Assert.Equal(SchedulerType.CosineWithRestarts, Train("--lr-scheduler-type", "cosine_with_restarts", "--lr_scheduler_kwargs", "{\"num_cycles\": 2}").LrSchedulerType);

    private static TrainingArguments Train(params string[] words) => Parse(words).Create<TrainingArguments>();

    private static ArgumentValues Parse(params string[] words) => Parse(TrainCommand.Verb, words);

    private static ArgumentValues Parse(Verb verb, params string[] words)
    {
        var parser = new VerbParser(verb);
        return parser.Parse(new RootCommand { parser.Command }, [verb.Name, .. words]);
    }

    private static string Refused(params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run(["train", .. words]));
        return terminal.Error;
    }
}
