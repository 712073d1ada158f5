using Attune.Optimization;
using Attune.Reporting;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Two values of an argument give runs that differ in what they do or leave behind. One that is ignored fails here.</summary>
[Collection("torch")]
public sealed class ArgumentEffectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new(inMemory: true);
    private int _runs;

    public void Dispose() => _folder.Dispose();

    /// <summary>Of each argument the base of the two runs and what the second changes.</summary>
    private static readonly Dictionary<string, (Change Base, Change Other)> Pairs = new()
    {
        ["output_dir"] = (a => a, a => a with { OutputDir = Path.Combine(Path.GetDirectoryName(a.OutputDir)!, "elsewhere") }),
        ["eval_strategy"] = (a => a with { EvalStrategy = IntervalStrategy.No }, a => a with { EvalStrategy = IntervalStrategy.Epoch }),
        ["prediction_loss_only"] = (a => a, a => a with { PredictionLossOnly = true }),
        ["per_device_train_batch_size"] = (a => a, a => a with { PerDeviceTrainBatchSize = 3 }),
        ["per_device_eval_batch_size"] = (a => a, a => a with { PerDeviceEvalBatchSize = 3 }),
        ["max_tokens_per_batch"] = (a => a, a => a with { MaxTokensPerBatch = 16 }),
        ["max_tokens_per_eval_batch"] = (a => a, a => a with { MaxTokensPerEvalBatch = 10 }),
        ["gradient_accumulation_steps"] = (a => a, a => a with { GradientAccumulationSteps = 1 }),
        ["eval_delay"] = (a => a, a => a with { EvalDelay = 2 }),
        ["learning_rate"] = (a => a, a => a with { LearningRate = 2e-3 }),
        ["weight_decay"] = (a => a, a => a with { WeightDecay = 0.1 }),
        ["adam_beta1"] = (a => a, a => a with { AdamBeta1 = 0.5 }),
        ["adam_beta2"] = (a => a, a => a with { AdamBeta2 = 0.5 }),
        ["adam_epsilon"] = (a => a, a => a with { AdamEpsilon = 1e-3 }),
        ["max_grad_norm"] = (a => a, a => a with { MaxGradNorm = 0.01 }),
        ["num_train_epochs"] = (a => a, a => a with { NumTrainEpochs = 1 }),
        ["max_steps"] = (a => a, a => a with { MaxSteps = 2 }),
        ["lr_scheduler_type"] = (a => a, a => a with { LrSchedulerType = SchedulerType.Cosine }),
        ["lr_scheduler_kwargs"] = (a => a with { LrSchedulerType = SchedulerType.CosineWithRestarts, LrSchedulerKwargs = new() { ["num_cycles"] = 1 } },
            a => a with { LrSchedulerKwargs = new() { ["num_cycles"] = 2 } }),
        ["warmup_ratio"] = (a => a with { WarmupSteps = 0 }, a => a with { WarmupRatio = 0.5 }),
        ["warmup_steps"] = (a => a, a => a with { WarmupSteps = 0 }),
        ["logging_strategy"] = (a => a, a => a with { LoggingStrategy = IntervalStrategy.Epoch }),
        ["logging_first_step"] = (a => a, a => a with { LoggingFirstStep = true }),
        ["logging_steps"] = (a => a, a => a with { LoggingSteps = 1 }),
        ["save_strategy"] = (a => a, a => a with { SaveStrategy = SaveStrategy.Epoch }),
        ["save_steps"] = (a => a, a => a with { SaveSteps = 2 }),
        ["save_total_limit"] = (a => a with { SaveSteps = 1 }, a => a with { SaveTotalLimit = 2 }),
        ["save_only_model"] = (a => a, a => a with { SaveOnlyModel = true }),
        ["log_level"] = (a => a with { LabelSmoothingFactor = 1 }, a => a with { LogLevel = LogLevel.Error }),
        ["seed"] = (a => a, a => a with { Seed = 43 }),
        ["data_seed"] = (a => a, a => a with { DataSeed = 43 }),
        ["dataloader_drop_last"] = (a => a, a => a with { DataloaderDropLast = true }),
        ["eval_steps"] = (a => a with { EvalStrategy = IntervalStrategy.Steps, EvalSteps = 1 }, a => a with { EvalSteps = 2 }),
        ["load_best_model_at_end"] = (a => a with { LearningRate = 0.1, SaveStrategy = SaveStrategy.Epoch }, a => a with { LoadBestModelAtEnd = true, GreaterIsBetter = true }),
        ["metric_for_best_model"] = (a => a, a => a with { MetricForBestModel = "accuracy" }),
        ["greater_is_better"] = (a => a with { MetricForBestModel = "loss" }, a => a with { GreaterIsBetter = true }),
        ["label_smoothing_factor"] = (a => a, a => a with { LabelSmoothingFactor = 0.1 }),
        ["optim"] = (a => a, a => a with { Optim = OptimizerName.Adafactor }),
        ["optim_args"] = (a => a with { Optim = OptimizerName.Sgd }, a => a with { OptimArgs = "momentum=0.5" }),
        ["neftune_noise_alpha"] = (a => a, a => a with { NeftuneNoiseAlpha = 5 }),
        ["group_by_length"] = (a => a, a => a with { GroupByLength = true }),
        ["report_to"] = (a => a, a => a with { ReportTo = ["json"] }),
        ["eval_on_start"] = (a => a, a => a with { EvalOnStart = true }),
        ["auto_find_batch_size"] = (a => a, a => a with { AutoFindBatchSize = true }),
        ["bf16"] = (a => a, a => a with { Bf16 = true }),
        ["bf16_full_eval"] = (a => a, a => a with { Bf16FullEval = true }),
        ["fp16"] = (a => a, a => a with { Fp16 = true }),
        ["fp16_full_eval"] = (a => a, a => a with { Fp16FullEval = true }),
        ["gradient_checkpointing"] = (a => a, a => a with { GradientCheckpointing = true }),
        ["include_num_input_tokens_seen"] = (a => a with { IncludeNumInputTokensSeen = "non_padding" }, a => a with { IncludeNumInputTokensSeen = "all" }),
        ["include_tokens_per_second"] = (a => a, a => a with { IncludeTokensPerSecond = true }),
        ["logging_nan_inf_filter"] = (a => a with { LearningRate = 1e30, WarmupSteps = 0, MaxSteps = 4 }, a => a with { LoggingNanInfFilter = false }),
        ["debug"] = (a => a with { LearningRate = 1e30, WarmupSteps = 0, MaxSteps = 4 }, a => a with { Debug = [Measuring.UnderflowOverflow] }),
    };

    private delegate TrainingArguments Change(TrainingArguments args);

    /// <summary>The arguments that are tested here.</summary>
    internal static IReadOnlyCollection<string> Tested => [.. Pairs.Keys, .. Resumed];

    private static readonly string[] Resumed = ["overwrite_output_dir", "resume_from_checkpoint", "restore_callback_states_from_checkpoint", "ignore_data_skip"];

    public static TheoryData<string> Names() => [.. Pairs.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Train_TwoValuesOfAnArgument_DoAndLeaveDifferentThings(string name)
    {
        var (one, other) = Pairs[name];
        Assert.NotNull(ArgumentTable.Of<TrainingArguments>().Find(name));
        var trace = Trace(one);
        Assert.Equal(trace, Trace(one));                                   // else a difference would say nothing
        Assert.NotEqual(trace, Trace(args => other(one(args))));
    }

    [Fact]
    public void Train_FolderWithARun_IsTreatedAsTheArgumentsSay()
    {
        string[] traces =
        [
            Twice(args => args),
            Twice(args => args with { OverwriteOutputDir = true }),
            Twice(args => args with { ResumeFromCheckpoint = "true", NumTrainEpochs = 2 }),
            Twice(args => args with { ResumeFromCheckpoint = "true", NumTrainEpochs = 2, IgnoreDataSkip = true }),
        ];
        Assert.Equal(traces.Length, traces.Distinct().Count());

        string Twice(Change second)
        {
            var parent = NewFolder();
            Trace(parent, args => args with { MaxSteps = 2 }, []);
            return Trace(parent, args => second(args with { MaxSteps = -1 }), []);
        }
    }

    /// <summary>The evaluation never gets better after the first: where the counter of the first run goes on, patience ends sooner.</summary>
    [Theory, InlineData(true, 4), InlineData(false, 5)]
    public void Resume_RestoreCallbackStates_DecidesWhetherPatienceGoesOn(bool isRestored, int epochs)
    {
        var parent = NewFolder();
        Change patient = args => args with { SaveStrategy = SaveStrategy.Epoch, MetricForBestModel = "fixed", RestoreCallbackStatesFromCheckpoint = isRestored };
        Trace(parent, args => patient(args) with { NumTrainEpochs = 2 }, [new EarlyStoppingCallback(3)]);
        var trace = Trace(parent, args => patient(args) with { NumTrainEpochs = 9, ResumeFromCheckpoint = "true" }, [new EarlyStoppingCallback(3)]);
        Assert.Contains($"\nepoch_end {epochs * 3}\n", trace, StringComparison.Ordinal);
        Assert.DoesNotContain($"\nepoch_end {(epochs + 1) * 3}\n", trace, StringComparison.Ordinal);
    }

    private string NewFolder() => Directory.CreateDirectory(Path.Combine(_folder.Path, $"{_runs++}")).FullName;

    private string Trace(Change change) => Trace(NewFolder(), change, []);

    /// <summary>What a run did and left, as text: events, rows, weights, log, notices, files and the error that ended it; times left out.</summary>
    private static string Trace(string parent, Change change, IEnumerable<TrainerCallback> callbacks)
    {
        var lines = new List<string>();
        using var model = TinyRun.Model();
        var recorder = new RunRecorder(model);
        try
        {
            var args = change(TinyRun.Arguments(Path.Combine(parent, "out")) with { NumTrainEpochs = 2 });
            var trainer = new Trainer(
                model, args, TinyRun.Data(11), TinyRun.Data(7, seed: 1), scores => new Dictionary<string, double>
                {
                    ["accuracy"] = scores.Predictions.Zip(scores.ClassLabels, (predicted, label) => predicted == label ? 1.0 : 0.0).Average(),
                    ["fixed"] = 0.5,
                },
                [recorder, .. Reporters.Of(args), .. callbacks], notice: lines.Add);
            lines.AddRange(trainer.Train(cancellation: TestContext.Current.CancellationToken).Metrics.Keys);
            lines.AddRange(trainer.State.LogHistory.Select(Entry));
            lines.Add($"best {trainer.State.BestMetric} of {trainer.State.BestGlobalStep}");
        }
        catch (AttuneException e)
        {
            lines.Add(e.Message);
        }
        lines.Add($"checkpointing {model.GradientCheckpointing}");
        lines.AddRange(recorder.Events);
        lines.AddRange(recorder.Steps.Select(step => string.Join(' ', step.Rows.SelectMany(rows => rows)) + $" {step.Loss:R} {step.GradNorm:R} {step.LearningRate:R}"));
        lines.Add(Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(TinyRun.Weights(model))));
        lines.AddRange(Directory.EnumerateFiles(parent, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(parent, file)).Order(StringComparer.Ordinal));
        return string.Join('\n', lines).Replace(parent, "", StringComparison.Ordinal) + "\n";
    }

    private static string Entry(IReadOnlyDictionary<string, double> entry) => string.Join(' ', entry
        .Select(pair => pair.Key.EndsWith("_runtime", StringComparison.Ordinal) || pair.Key.EndsWith("_per_second", StringComparison.Ordinal) ? pair.Key : $"{pair.Key} {pair.Value:R}"));
}
