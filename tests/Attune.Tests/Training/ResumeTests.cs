using Attune.Batching;
using Attune.Checkpoints;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>A run that is stopped and resumed gives what the run that was never stopped gives, to the bit, wherever it is stopped.</summary>
[Collection("torch")]
public sealed class ResumeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds() =>
        ["by epoch", "by steps, early stopping", "stops early", "ends within an epoch", "plateau, smoothing", "grouped by length", "adafactor, best", "sgd",
        "balanced", "weighted, grouped", "by tokens", "by tokens, balanced, grouped", "weights, focal, noise, r-drop", "fgm, decay to pretrained", "float16"];

    public static TheoryData<string> Averages() => ["schedule-free, best", "ema, best", "swa", "soup", "tuned"];

    public static TheoryData<string> Optimizers() => ["lion, rates by layer", "rmsprop", "adagrad", "ademamix", "stable adamw, value", "schedule-free sgd"];

    /// <summary>Runs by the way that graphics cards take.</summary>
    public static TheoryData<string> Devices() =>
        ["on a device", "on a device, weights, focal, r-drop", "on a device, float16", "on a device, noise, fgm, computed again", "on a device, ema and pull", "on a device, lion"];

    [Theory, MemberData(nameof(Kinds)), MemberData(nameof(Averages)), MemberData(nameof(Optimizers))]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit(string kind) => StopAfterEachUpdate(kind);

    [Theory, MemberData(nameof(Devices))]
    public void Train_OnADeviceStoppedAfterAnyUpdate_ContinuesToTheBit(string kind) => StopAfterEachUpdate(kind);

    private void StopAfterEachUpdate(string kind)
    {
        var whole = Run(kind, "whole", stopAfter: null, resume: null);
        Assert.True(whole.Output.GlobalStep >= 4, "too short a run to show anything");
        if (kind.EndsWith("float16", StringComparison.Ordinal)) foreach (var way in (string[])["fp16 falls to", "fp16 grows to"]) Assert.Contains(whole.Notices, line => line.Contains(way, StringComparison.Ordinal));
        for (var step = 1; step < whole.Output.GlobalStep; step++)
        {
            var name = $"stopped-{step}";
            var first = Run(kind, name, stopAfter: step, resume: null);
            Assert.True(first.Output.Interrupted);
            Assert.Equal(step, first.Output.GlobalStep);
            AssertSame(whole, Run(kind, name, stopAfter: null, resume: "true"), $"{kind}, stopped after {step}");
        }
    }

    [Theory, MemberData(nameof(Kinds)), MemberData(nameof(Averages))]
    public void Train_StoppedInEvaluation_EvaluatesAgainAndContinuesToTheBit(string kind)
    {
        var whole = Run(kind, "whole", stopAfter: null, resume: null);
        var evaluations = whole.State.LogHistory.Count(entry => entry.ContainsKey("eval_loss"));
        Assert.True(evaluations >= 2, "too few evaluations to show anything");
        for (var evaluation = 1; evaluation <= evaluations; evaluation++)
        {
            var name = $"stopped-{evaluation}";
            var first = Run(kind, name, stopAfter: null, resume: null, stopInEvaluation: evaluation);
            Assert.True(first.Output.Interrupted);
            AssertSame(whole, Run(kind, name, stopAfter: null, resume: "true"), $"{kind}, stopped in evaluation {evaluation}");
        }
    }

    [Fact]
    public void Train_ResumedFromEveryCheckpointOfAFinishedRun_ContinuesToTheBit()
    {
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null, saveEveryStep: true);
        foreach (var checkpoint in CheckpointFiles.All(Path.Combine(_folder.Path, "whole")))
            AssertSame(whole, Run("by epoch", "whole", stopAfter: null, resume: checkpoint, saveEveryStep: true), checkpoint);
    }

    /// <summary>Killed just after the checkpoint of the update in which a callback ended the run, or the epoch: that is not forgotten.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void Train_EndedByACallbackAndKilled_EndsAsItWouldHave(bool isRun)
    {
        TrainingArguments EveryStep(TrainingArguments args) => args with { SaveStrategy = SaveStrategy.Steps, SaveSteps = 1, LoadBestModelAtEnd = false, NumTrainEpochs = 2 };
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null, change: EveryStep, callback: new Ender(2, isRun));
        Assert.Equal(isRun ? 2 : 5, whole.Output.GlobalStep);
        foreach (var left in CheckpointFiles.All(Path.Combine(_folder.Path, "whole")).Where(folder => CheckpointFiles.Step(folder) > 2).ToList()) Directory.Delete(left, recursive: true);
        // What was saved in the update itself, before the end of the epoch was dealt with.
        var killed = Run("by epoch", "killed", stopAfter: null, resume: null, change: EveryStep, callback: new Ender(2, isRun, keep: Path.Combine(_folder.Path, "kept")));
        Directory.Delete(Path.Combine(_folder.Path, "killed"), recursive: true);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "killed"));
        Directory.Move(Path.Combine(_folder.Path, "kept"), CheckpointFiles.Folder(Path.Combine(_folder.Path, "killed"), 2));
        AssertSame(whole, Run("by epoch", "killed", stopAfter: null, resume: "true", change: EveryStep), "ended by a callback");
        Assert.Equal(whole.Weights, killed.Weights);
    }

    /// <summary>Ends the run or the epoch in an update, and keeps a copy of the checkpoint that is saved first after it.</summary>
    private sealed class Ender(int step, bool isRun, string? keep = null) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult result)
        {
            if (state.GlobalStep != step) return;
            if (isRun) control.ShouldTrainingStop = true;
            else control.ShouldEpochStop = true;
        }

        public override void OnSave(TrainingArguments args, TrainerState state, TrainerControl control)
        {
            if (keep is null || state.GlobalStep != step || Directory.Exists(keep)) return;
            Directory.CreateDirectory(keep);
            var folder = CheckpointFiles.Folder(args.OutputDir, step);
            foreach (var file in Directory.EnumerateFiles(folder)) File.Copy(file, Path.Combine(keep, Path.GetFileName(file)));
        }
    }

    [Fact]
    public void Train_MoreUpdatesThanBefore_GoesOnWithinTheEpoch()
    {
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null, change: args => args with { MaxSteps = 8, LrSchedulerType = SchedulerType.Constant });
        Run("by epoch", "shorter", stopAfter: null, resume: null, change: args => args with { MaxSteps = 4, LrSchedulerType = SchedulerType.Constant });
        var longer = Run("by epoch", "shorter", stopAfter: null, resume: "true", change: args => args with { MaxSteps = 8, LrSchedulerType = SchedulerType.Constant });
        Assert.Equal(whole.Weights, longer.Weights);
        Assert.Contains(longer.Notices, line => line.Contains("8 updates in place of 4", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_OtherBatchSize_KeepsTheCheckpointsAndSaysSo()
    {
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null);
        Run("by epoch", "stopped", stopAfter: 4, resume: null);
        var resumed = Run("by epoch", "stopped", stopAfter: null, resume: "true", change: args => args with { PerDeviceTrainBatchSize = 5 });
        AssertSame(whole, resumed, "batch size");
        Assert.Contains(resumed.Notices, line => line.StartsWith("per_device_train_batch_size stays 2", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_OtherIntervals_KeepsTheCheckpointsAndSaysSo()
    {
        var whole = Run("ends within an epoch", "whole", stopAfter: null, resume: null);
        Run("ends within an epoch", "stopped", stopAfter: 2, resume: null);
        var resumed = Run("ends within an epoch", "stopped", stopAfter: null, resume: "true", change: args => args with { SaveSteps = 2 });
        AssertSame(whole, resumed, "intervals");
        Assert.Contains("save_steps stays 500, as in the checkpoint, and not 2.", resumed.Notices);
        Assert.DoesNotContain(resumed.Notices, line => line.StartsWith("eval_steps", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_OtherAccumulation_SaysThatThePlaceIsEstimated()
    {
        Run("by epoch", "stopped", stopAfter: 2, resume: null);
        var resumed = Run("by epoch", "stopped", stopAfter: null, resume: "true", change: args => args with { GradientAccumulationSteps = 1 });
        Assert.Contains(resumed.Notices, line => line.StartsWith("An epoch now has 6 updates in place of 3", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_BestCheckpointLosesItsWeights_KeepsTheLastModelAndSaysSo()
    {
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null, change: args => args with { LoadBestModelAtEnd = false });
        var damaged = Run("by epoch", "damaged", stopAfter: null, resume: null, callback: new WeightRemover());
        Assert.Equal(whole.Weights, damaged.Weights);
        Assert.Contains(damaged.Notices, line => line.StartsWith("The best checkpoint cannot be loaded, so the model is that of the last update", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_OtherRows_AreSpokenOf()
    {
        Run("by epoch", "stopped", stopAfter: 4, resume: null);
        Assert.DoesNotContain(Run("by epoch", "stopped", stopAfter: 5, resume: "true").Notices, IsOfRows);
        Assert.Contains(Run("by epoch", "stopped", stopAfter: null, resume: "true", data: TinyRun.Data(11, seed: 7)).Notices, IsOfRows);

        static bool IsOfRows(string line) => line.StartsWith("The training rows are not those", StringComparison.Ordinal);
    }

    [Fact]
    public void Train_Auto_StartsGoesOnAndNeverReplacesAFinishedRun()
    {
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null);
        Assert.True(Run("by epoch", "auto", stopAfter: 4, resume: "auto").Output.Interrupted);
        AssertSame(whole, Run("by epoch", "auto", stopAfter: null, resume: "auto"), "auto");

        static TrainingArguments Unsaved(TrainingArguments args) => args with { SaveStrategy = SaveStrategy.No, LoadBestModelAtEnd = false };
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.Path, "finished")).FullName, CheckpointFiles.AllResults), "{}");
        Assert.Contains("holds a finished run", Assert.Throws<AttuneException>(() => Run("by epoch", "finished", null, "auto", change: Unsaved)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("true"), InlineData("auto")]
    public void Train_KilledWhileACheckpointWasReplaced_GoesOnFromIt(string resume)
    {
        var whole = Run("by epoch", "whole", stopAfter: null, resume: null);
        Run("by epoch", "killed", stopAfter: 2, resume: null);
        var folder = Path.Combine(_folder.Path, "killed");
        Directory.Move(CheckpointFiles.Folder(folder, 2), Path.Combine(folder, ".checkpoint-2.0f.old"));
        AssertSame(whole, Run("by epoch", "killed", stopAfter: null, resume: resume), resume);
    }

    [Fact]
    public void Train_NoCheckpoint_SaysWhere()
    {
        var error = Assert.Throws<AttuneException>(() => Run("by epoch", "empty", stopAfter: null, resume: "true"));
        Assert.Contains("empty has no checkpoint", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<AttuneException>(() => Run("by epoch", "empty", stopAfter: null, resume: "elsewhere"));
        Assert.Contains("elsewhere is no checkpoint", error.Message, StringComparison.Ordinal);
    }

    private sealed record Result(TrainOutput Output, float[] Weights, TrainerState State, List<string> Notices);

    private Result Run(
        string kind, string name, int? stopAfter, string? resume, int? stopInEvaluation = null, bool saveEveryStep = false,
        Func<TrainingArguments, TrainingArguments>? change = null, TrainerCallback? callback = null, TokenizedDataset? data = null)
    {
        var args = Arguments(kind, Path.Combine(_folder.Path, name));
        if (saveEveryStep) args = args with { SaveStrategy = SaveStrategy.Steps, SaveSteps = 1, LoadBestModelAtEnd = false };
        if (change is not null) args = change(args);
        using var model = TinyRun.Model();
        if (Devices().Any(row => row.Data == kind)) model.ComputeOn(TorchSharp.torch.CPU);
        using var stop = new CancellationTokenSource();
        var notices = new List<string>();
        List<TrainerCallback> callbacks = [new Stopper(stop, stopAfter, stopInEvaluation)];
        if (kind.Contains("early", StringComparison.Ordinal)) callbacks.Add(new EarlyStoppingCallback(5, 0.01));
        if (kind == "stops early") callbacks.Add(new EarlyStoppingCallback(1, 1));
        if (callback is not null) callbacks.Add(callback);
        var trainer = new Trainer(model, args, data ?? TinyRun.Data(11), TinyRun.Data(9, seed: 1), callbacks: callbacks, notice: notices.Add);
        var output = trainer.Train(resume, stop.Token);
        return new Result(output, TinyRun.Weights(model), trainer.State, notices);
    }

    private static TrainingArguments Arguments(string kind, string folder)
    {
        var args = TinyRun.Arguments(folder);
        return kind switch
        {
            "by steps, early stopping" => args with
            {
                EvalStrategy = IntervalStrategy.Steps,
                EvalSteps = 1,
                SaveStrategy = SaveStrategy.Steps,
                SaveSteps = 2,
                SaveTotalLimit = 2,
                LoadBestModelAtEnd = true,
                NumTrainEpochs = 4,
            },
            "stops early" => args with
            {
                EvalStrategy = IntervalStrategy.Steps,
                EvalSteps = 2,
                SaveStrategy = SaveStrategy.Steps,
                SaveSteps = 2,
                LoadBestModelAtEnd = true,
                NumTrainEpochs = 20,
            },
            "ends within an epoch" => args with { MaxSteps = 5, SaveStrategy = SaveStrategy.Steps, SaveSteps = 500, LoggingStrategy = IntervalStrategy.Epoch },
            "plateau, smoothing" => args with
            {
                LrSchedulerType = SchedulerType.ReduceLrOnPlateau,
                LrSchedulerKwargs = new() { ["patience"] = 0, ["factor"] = 0.5, ["threshold"] = 0.05 },
                LabelSmoothingFactor = 0.1,
                LoggingSteps = 5,
                SaveStrategy = SaveStrategy.No,
            },
            "grouped by length" => args with { GroupByLength = true, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 2, LoggingStrategy = IntervalStrategy.Epoch },
            "adafactor, best" => args with
            {
                Optim = OptimizerName.Adafactor,
                SaveStrategy = SaveStrategy.Best,
                MetricForBestModel = "loss",
                LoadBestModelAtEnd = true,
                SaveTotalLimit = 1,
            },
            "balanced" => args with { Sampling = SamplingKind.Balanced, SaveStrategy = SaveStrategy.Epoch },
            "weighted, grouped" => args with { Sampling = SamplingKind.Weighted, GroupByLength = true, SaveStrategy = SaveStrategy.Epoch },
            "weights, focal, noise, r-drop" => args with { ClassWeights = "a=2,c=0.5", FocalGamma = 1, NeftuneNoiseAlpha = 5, RDropAlpha = 2 },
            "on a device, weights, focal, r-drop" => args with { ClassWeights = "a=2,c=0.5", FocalGamma = 1, RDropAlpha = 2, LayerLrDecay = 0.8, SaveStrategy = SaveStrategy.Epoch },
            "on a device, noise, fgm, computed again" => args with { NeftuneNoiseAlpha = 5, FgmEpsilon = 0.5, GradientCheckpointing = true, SaveStrategy = SaveStrategy.Epoch },
            "fgm, decay to pretrained" => args with { FgmEpsilon = 0.5, DecayToPretrained = 3, Optim = OptimizerName.AdamwTorch },
            "on a device, ema and pull" => args with { EmaDecay = 0.8, DecayToPretrained = 3, SaveStrategy = SaveStrategy.Epoch },
            "on a device, lion" => args with { Optim = OptimizerName.Lion, LearningRate = 1e-4, SaveStrategy = SaveStrategy.Epoch },
            // The scale falls to where gradients fit, and from there grows and falls by turns.
            "float16" or "on a device, float16" => args with { Fp16 = true, FirstLossScale = 1 << 26, LossScaleInterval = 2, NumTrainEpochs = 5, SaveStrategy = SaveStrategy.Epoch },
            "by tokens" => args with { MaxTokensPerBatch = 16, SaveStrategy = SaveStrategy.Epoch, LoggingStrategy = IntervalStrategy.Epoch },
            "by tokens, balanced, grouped" => args with { MaxTokensPerBatch = 12, Sampling = SamplingKind.Balanced, GroupByLength = true, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 3, MaxSteps = 8 },
            "sgd" => args with { Optim = OptimizerName.Sgd, LearningRate = 0.1, WeightDecay = 0.01 },
            "lion, rates by layer" => args with { Optim = OptimizerName.Lion, LearningRate = 1e-4, LayerLrDecay = 0.8, HeadLearningRate = 1e-3, WeightDecay = 0.1 },
            "rmsprop" => args with { Optim = OptimizerName.Rmsprop, OptimArgs = "momentum=0.9,centered=true", SaveStrategy = SaveStrategy.Epoch },
            "adagrad" => args with { Optim = OptimizerName.Adagrad, OptimArgs = "lr_decay=0.1,initial_accumulator_value=0.01" },
            "ademamix" => args with { Optim = OptimizerName.Ademamix, OptimArgs = "t_alpha=6,t_beta3=6", LayerLrDecay = 0.5 },
            "stable adamw, value" => args with { Optim = OptimizerName.StableAdamw, ClipGradValue = 1e-3 },
            "schedule-free, best" => args with { Optim = OptimizerName.ScheduleFreeRadam, AdamBeta2 = 0.9, SaveStrategy = SaveStrategy.Best, LoadBestModelAtEnd = true },
            "schedule-free sgd" => args with { Optim = OptimizerName.ScheduleFreeSgd, LearningRate = 0.1 },
            "ema, best" => args with { EmaDecay = 0.8, SaveStrategy = SaveStrategy.Best, LoadBestModelAtEnd = true, LayerLrDecay = 0.7 },
            "swa" => args with { SwaStart = 1, SaveStrategy = SaveStrategy.Steps, SaveSteps = 2 },
            "soup" => args with { Soup = 2, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 2, SaveStrategy = SaveStrategy.Steps, SaveSteps = 4, SaveTotalLimit = 1, LearningRate = 0.02 },
            "tuned" => args with { Tune = "layers:1", ReinitLayers = 1, EarlyStoppingPatience = 2, EmaDecay = 0.5, DecayToPretrained = 10 },
            _ => args with { SaveStrategy = SaveStrategy.Epoch, LoadBestModelAtEnd = true, LoggingStrategy = IntervalStrategy.Epoch },
        };
    }

    private static void AssertSame(Result whole, Result resumed, string what)
    {
        Assert.False(resumed.Output.Interrupted);
        Assert.Equal(Lasting(whole), Lasting(resumed));
        Assert.True(whole.Weights.AsSpan().SequenceEqual(resumed.Weights), $"{what}: the weights differ");
        Assert.Equal((whole.State.BestMetric, whole.State.BestGlobalStep), (resumed.State.BestMetric, resumed.State.BestGlobalStep));
        Assert.Equal(whole.State.TotalFlos, resumed.State.TotalFlos);
    }

    private static IEnumerable<string> Lasting(Result run) => run.State.LogHistory.Select(entry => string.Join(' ', entry
        .Where(pair => !pair.Key.Contains("_runtime", StringComparison.Ordinal) && !pair.Key.Contains("_per_second", StringComparison.Ordinal))
        .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value:r}")));

    /// <summary>Takes the weights out of every checkpoint as soon as it is written.</summary>
    private sealed class WeightRemover : TrainerCallback
    {
        public override void OnSave(TrainingArguments args, TrainerState state, TrainerControl control) =>
            File.Delete(Path.Combine(CheckpointFiles.Folder(args.OutputDir, state.GlobalStep), CheckpointFiles.Weights));
    }
}
