using System.CommandLine;
using System.Text.RegularExpressions;
using Attune.Cli;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Cli;

public sealed class ConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("run.yaml")]
    [InlineData("run.YML")]
    public void Yaml_Mapping_GivesTheValuesOfJson(string name)
    {
        var file = _folder.Write(name, """
            # a comment
            learning_rate: 2e-5
            eval_strategy: no
            max_grad_norm: null
            load_best_model_at_end: false
            resume_from_checkpoint: true
            seed: "7"
            model: '~'
            metrics: [f1, accuracy]
            report_to:
              - json
            lr_scheduler_type: cosine_with_restarts
            lr_scheduler_kwargs: {num_cycles: 2, word: 2x}
            """);
        var values = Parse("--config", file);
        var arguments = values.Create<TrainingArguments>();
        Assert.Equal((2e-5, IntervalStrategy.No, null, 7L), (arguments.LearningRate, arguments.EvalStrategy, arguments.MaxGradNorm, arguments.Seed));
        Assert.Equal(("~", "true"), (values.Create<ModelArguments>().Model, arguments.ResumeFromCheckpoint));
        Assert.Equal(["f1", "accuracy"], values.Create<DataArguments>().Metrics);
        Assert.Equal(["json"], arguments.ReportTo);
        Assert.Equal((SchedulerType.CosineWithRestarts, """{"num_cycles":2,"word":"2x"}"""), (arguments.LrSchedulerType, arguments.LrSchedulerKwargs!.ToJsonString()));
        Assert.Equal(2e-5, Parse(file).Create<TrainingArguments>().LearningRate);          // as the only word
    }

    [Theory]
    [InlineData("seed: 1\nseed: 2\n", "line 2, column 1: it is no YAML that Attune reads: \"seed\" occurs twice.")]
    [InlineData("seed: [1\n", "it is no YAML that Attune reads: ")]
    [InlineData("a: &x 1\nseed: *x\n", "it is no YAML that Attune reads: ")]
    [InlineData("- seed\n", "holds no mapping; give names and values of arguments.")]
    [InlineData("seed: 1\n---\nseed: 2\n", "holds several documents; leave one.")]
    [InlineData("\nlerning_rate: 1\n", "line 2: \"lerning_rate\" is no argument of attune train. Did you mean \"learning_rate\"?")]
    public void Yaml_Wrong_IsOneSentenceWithThePlace(string text, string said)
    {
        var file = _folder.Write("run.yaml", text);
        var error = Refused("--config", file);
        Assert.StartsWith($"attune: {file}", error, StringComparison.Ordinal);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(letter => letter == '\n'));
    }

    [Fact]
    public void Yaml_Absent_IsSaid() => Assert.Equal("attune: nowhere.yaml does not exist; check its name.\n", Refused("--config", "nowhere.yaml"));

    [Fact]
    public void SeveralFiles_LaterOnesAndOptionsWin()
    {
        var (first, second) = (_folder.Write("1.json", """{"seed": 1, "weight_decay": 0.1, "learning_rate": 1}"""), _folder.Write("2.yaml", "seed: 2\nlearning_rate: 2\n"));
        var arguments = Parse("--config", first, "--learning-rate", "3", "--config", second).Create<TrainingArguments>();
        Assert.Equal((2L, 0.1, 3.0), (arguments.Seed, arguments.WeightDecay, arguments.LearningRate));
    }

    [Fact]
    public void SeveralFiles_AnotherRepository_IsNotTakenAtTheCommitOfTheFirst()
    {
        var (first, second) = (_folder.Write("1.json", """{"model_revision": "abc", "model": "org/one"}"""), _folder.Write("2.json", """{"model": "org/two"}"""));
        Assert.Null(Parse("--config", first, "--config", second).Create<ModelArguments>().ModelRevision);
        Assert.Equal("abc", Parse("--config", second, "--config", first).Create<ModelArguments>().ModelRevision);
    }

    [Fact]
    public void PrintConfig_EachValue_HasItsOriginAndNothingRuns()
    {
        var file = _folder.Write("run.json", "{\n  \"weight_decay\": 0.5,\n  \"lr_scheduler_kwargs\": {\"a\": \"},{\"},\n  \"seed\": 1, \"data_seed\":\n 3}");
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("train", "--config", file, "--seed", "8", "--eval-strategy", "steps", "--hub-token", "hf_secret", "--output-dir", Path.Combine(_folder.Path, "none"), "--print-config"));
        string Of(string name) => Regex.Match(terminal.Out, $"(?m)^{name}: .*$").Value is var line ? Regex.Replace(line, " +# ", "# ") : "";
        Assert.Equal($"weight_decay: 0.5# {file}:2", Of("weight_decay"));
        Assert.Equal($"data_seed: 3# {file}:4", Of("data_seed"));
        Assert.Equal("seed: 8# option --seed", Of("seed"));
        Assert.Equal("adam_beta1: 0.9# default", Of("adam_beta1"));
        Assert.Equal("model: \"attune/mini\"# default of train", Of("model"));
        Assert.Equal("learning_rate: 0.0003# preset of attune/mini", Of("learning_rate"));
        Assert.Equal("eval_steps: 500# follows from others", Of("eval_steps"));
        Assert.Equal("hub_token: null# option --hub-token, not shown", Of("hub_token"));
        Assert.Equal("", terminal.Error);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "none")));
    }

    [Fact]
    public void PrintConfig_ReadBack_GivesTheSameArguments()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("train", "--metrics", "f1", "--lr-scheduler-kwargs", "{\"num_cycles\": 2}", "--print-config"));
        var again = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, again.Run("train", "--config", _folder.Write("run.yaml", terminal.Out), "--print-config"));
        Assert.Equal(Values(terminal.Out), Values(again.Out));
        // Which metric decides is left to the data, as in the run without the file.
        var read = RunRequest.Of(Parse("--config", Path.Combine(_folder.Path, "run.yaml")));
        Assert.Equal((true, null, null, true), (read.GoesByFirstMetric, read.Training.MetricForBestModel, read.Training.GreaterIsBetter, read.Training.LoadBestModelAtEnd));

        static List<string> Values(string text) => [.. text.Split('\n').Select(line => line.Split("  #")[0].TrimEnd())];
    }

    [Fact]
    public void PrintConfig_OfASweep_IsTakenByASweep()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("sweep", "--search", "nothing=1", "--print-config"));
        var again = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, again.Run("sweep", "--config", _folder.Write("sweep.yaml", terminal.Out)));
        Assert.Contains("nothing", again.Error, StringComparison.Ordinal);                 // comes to what is searched for, which is none
        var refused = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, refused.Run("sweep", "--config", Path.Combine(_folder.Path, "sweep.yaml"), "--overwrite-output-dir"));
        Assert.StartsWith("attune: attune sweep always goes on with the study", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void RunConfig_NoLimit_IsKeptAgainstTheDefaultsOfTheEmbeddedEncoder()
    {
        var request = RunRequest.Of(Parse("--config", _folder.Write("given.yaml", "save_total_limit: null\n")));
        RunConfig.Write(_folder.Path, request.Model, request.Data, request.Training);
        var again = RunRequest.Of(Parse("--config", Path.Combine(_folder.Path, "attune_config.json")));
        Assert.Equal((null, 3e-4), (again.Training.SaveTotalLimit, again.Training.LearningRate));
        Assert.Equal(1, RunRequest.Of(Parse()).Training.SaveTotalLimit);
    }

    [Fact]
    public void Evaluate_ItsPrintedConfig_TakesTheDataOfTheRun()
    {
        var run = new DataArguments { Dataset = "org/data", Metrics = ["f1"], Fold = "2/5", StratifySamples = true, MaxTrainSamples = 50, MaxEvalSamples = 5 };
        RunConfig.Write(_folder.Path, new ModelArguments(), run, new TrainingArguments());
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("evaluate", "--max-eval-samples", "7", "--print-config"));
        var parser = new VerbParser(EvaluateCommand.Verb);
        var values = parser.Parse(new RootCommand { parser.Command }, ["evaluate", "--config", _folder.Write("evaluate.yaml", terminal.Out)]);
        var data = EvaluateCommand.Data(values, _folder.Path);
        Assert.Equal(("org/data", "2/5", true, 50, 7), (data.Dataset, data.Fold, data.StratifySamples, data.MaxTrainSamples, data.MaxEvalSamples));
        Assert.Equal(["f1"], data.Metrics);
    }

    [Theory]
    [InlineData("base")]
    [InlineData("base/checkpoint-3/")]
    public void Train_AdapterIntoTheFolderOfItsModel_IsRefused(string model)
    {
        var weights = _folder.Write($"{model}/model.safetensors", "");
        var output = Path.Combine(_folder.Path, "base");
        foreach (var merge in (string[][])[[], ["--merge-adapter"]])
            Assert.StartsWith($"attune: output_dir is {output}, but {Path.Combine(_folder.Path, model)} is the model that the adapter belongs to",
                Refused(["--model", Path.Combine(_folder.Path, model), "--output-dir", output, "--tune", "lora", "--overwrite-output-dir", .. merge]), StringComparison.Ordinal);
        Assert.True(File.Exists(weights));
    }

    [Fact]
    public void PrintConfig_ImpossibleCombination_IsRefusedAsTheRunWouldBe()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run("train", "--warmup-ratio", "2", "--print-config"));
        Assert.StartsWith("attune: warmup_ratio is 2; ", terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Prefix_OfOneOption_IsTakenAndAnnounced()
    {
        var values = Parse("--learning", "0.5", "--per_device_train=4");
        Assert.Equal((0.5, 4), (values.Create<TrainingArguments>().LearningRate, values.Create<TrainingArguments>().PerDeviceTrainBatchSize));
        Assert.Equal(["--learning is read as --learning-rate.", "--per_device_train is read as --per-device-train-batch-size."], values.Notices);
    }

    [Theory]
    [InlineData("--adam", "--adam-beta1")]
    [InlineData("--see", "--seed")]
    public void Prefix_OfSeveralOptionsOrTooShort_IsRefused(string word, string near) =>
        Assert.StartsWith($"attune: there is no option {word}.{(near == "--seed" ? " Did you mean \"--seed\"?" : "")}", Refused(word, "1"), StringComparison.Ordinal);

    [Theory]
    [InlineData("remove_unused_columns has no effect: Attune reads the columns it needs.", "--no-remove-unused-columns")]
    [InlineData("skip_memory_metrics has no effect: the most memory that training took is always given.", "--no_skip_memory_metrics")]
    [InlineData("length_column_name has no effect: lengths are counted.", "--length-column-name", "words")]
    [InlineData("label_names has no effect: the labels are those of the data set.", "--label_names", "labels")]
    [InlineData("accelerator_config has no effect: the rows of a batch are shared out in the order of the seed, and none is repeated.", "--accelerator_config", "{\"even_batches\": false}")]
    public void OtherName_Harmless_IsNoticed(string notice, params string[] words) => Assert.Equal([notice], Parse(words).Notices);

    [Theory]
    [InlineData("save_safetensors is false, but Attune writes weights as safetensors only; leave it out.", "--no-save-safetensors")]
    [InlineData("label_names is start, end, but rows have one column of labels here; name it by label_column_name.", "--label-names", "start", "end")]
    [InlineData("accelerator_config sets use_seedable_sampler to false, but the order of the rows comes from the seed alone here; leave it out.", "--accelerator-config", "{\"use_seedable_sampler\": false}")]
    [InlineData("accelerator_config is config.json; it must be a JSON object.", "--accelerator-config", "config.json")]
    [InlineData("adafactor is not available: it is an old name; give optim adafactor.", "--adafactor")]
    [InlineData("deepspeed is not available: it spreads a model over several cards, and every process of Attune has all of it; leave it out, and for its first stage give zero_stage 1.", "--deepspeed", "ds.json")]
    public void OtherName_ThatChangesTheResult_IsRefusedWithTheReason(string said, params string[] words) => Assert.Equal($"attune: {said}\n", Refused(words));

    [Fact]
    public void UseCpu_AnotherDevice_IsAContradiction() => Assert.Equal("use_cpu is set, but device is cuda:0; leave one of them out.",
        Assert.Throws<AttuneException>(() => new TrainingArguments { UseCpu = true, Device = "cuda:0" }.Validated()).Message);

    [Theory]
    [InlineData(LogLevel.Passive, false, false)]
    [InlineData(LogLevel.Info, false, false)]
    [InlineData(LogLevel.Warning, false, false)]
    [InlineData(LogLevel.Debug, false, true)]
    [InlineData(LogLevel.Error, true, false)]
    [InlineData(LogLevel.Critical, true, false)]
    public void LogLevel_OfTransformers_IsQuietOrVerbose(LogLevel level, bool isQuiet, bool isVerbose)
    {
        var output = new OutputArguments().With(level);
        Assert.Equal((isQuiet, isVerbose), (output.Quiet, output.Verbose));
        Assert.True(new OutputArguments { Quiet = true }.With(level).Quiet);
    }

    private static ArgumentValues Parse(params string[] words)
    {
        var parser = new VerbParser(TrainCommand.Verb);
        return parser.Parse(new RootCommand { parser.Command }, ["train", .. words]);
    }

    private static string Refused(params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run(["train", .. words]));
        return terminal.Error;
    }
}
