using System.CommandLine;
using Attune.Cli;
using Attune.Optimization;
using Attune.Training;

namespace Attune.Tests.Cli;

public class PresetsTests
{
    [Fact]
    public void Hf_GivesTheTrainersDefaults()
    {
        var args = Apply(Preset.Hf);
        var own = new TrainingArguments();
        Assert.Equal((5e-5, 8, 8, 3, 0, 1, 1), (args.LearningRate, args.PerDeviceTrainBatchSize, args.PerDeviceEvalBatchSize, args.NumTrainEpochs, args.WeightDecay, args.MaxGradNorm, args.GradientAccumulationSteps));
        Assert.Equal((SchedulerType.Linear, OptimizerName.AdamwTorchFused, 42, IntervalStrategy.No, 0), (args.LrSchedulerType, args.Optim, args.Seed, args.EvalStrategy, args.WarmupRatio));
        Assert.Equal((true, false), (args.LoggingNanInfFilter, args.RestoreCallbackStatesFromCheckpoint));
        Assert.Equal(own, args with { LoggingNanInfFilter = own.LoggingNanInfFilter, RestoreCallbackStatesFromCheckpoint = own.RestoreCallbackStatesFromCheckpoint, ReportTo = own.ReportTo });
        Assert.Equal("loss", Apply(Preset.Hf, "--load-best-model-at-end", "--eval-strategy", "epoch").MetricForBestModel);
    }

    [Fact]
    public void Best_GivesTheRecipe()
    {
        var args = Apply(Preset.Best);
        Assert.Equal((1e-4, 0.9, 0.001, SchedulerType.Cosine, 0.1, 20), (args.LearningRate, args.LayerLrDecay, args.WeightDecay, args.LrSchedulerType, args.WarmupRatio, args.NumTrainEpochs));
        Assert.Equal((128, 3, 10, true, 1), (args.RowsPerUpdate, args.Soup, args.EarlyStoppingPatience, args.LoadBestModelAtEnd, args.SaveTotalLimit));
        // 40 updates an epoch are 800 in all: two evaluations an epoch are 40.
        Assert.Equal((1 / 40.0, 1 / 40.0), (args.EvalSteps, args.SaveSteps));
        Assert.Equal(args with { ReportTo = [] }, args.Validated() with { ReportTo = [], SaveStrategy = args.SaveStrategy, MetricForBestModel = null, GreaterIsBetter = null, DoEval = false });
    }

    [Theory]
    [InlineData("--per-device-train-batch-size", "16", 16, 8)]
    [InlineData("--per-device-train-batch-size", "200", 200, 1)]
    [InlineData("--gradient-accumulation-steps", "2", 64, 2)]
    public void Best_OneFactorOfTheRowsGiven_KeepsTheirNumber(string option, string value, int batch, int accumulation)
    {
        var args = Apply(Preset.Best, option, value);
        Assert.Equal((batch, accumulation), (args.PerDeviceTrainBatchSize, args.GradientAccumulationSteps));
    }

    [Fact]
    public void Best_WhatIsGiven_Wins()
    {
        var args = Apply(Preset.Best, "--learning-rate", "1e-3", "--num-train-epochs", "4", "--soup", "0", "--warmup-steps", "5", "--lr-scheduler-type", "linear", "--layer-lr-decay", "1");
        Assert.Equal((1e-3, 4, 0, 5, 0, SchedulerType.Linear, 1), (args.LearningRate, args.NumTrainEpochs, args.Soup, args.WarmupSteps, args.WarmupRatio, args.LrSchedulerType, args.LayerLrDecay));
        Assert.Equal(1 / 8.0, args.EvalSteps);
        var byEpoch = Apply(Preset.Best, "--eval-strategy", "epoch");
        Assert.Equal((IntervalStrategy.Epoch, SaveStrategy.Epoch, null, 3), (byEpoch.EvalStrategy, byEpoch.SaveStrategy, byEpoch.EvalSteps, byEpoch.Soup));
        Assert.Equal((null, 0), (Apply(Preset.Best, "--save-strategy", "no").EvalSteps, Apply(Preset.Best, "--eval-strategy", "no").Soup));
        Assert.Equal((7.0, 7.0), (Apply(Preset.Best, "--eval-steps", "7").EvalSteps!.Value, Apply(Preset.Best, "--eval-steps", "7").SaveSteps));
        Assert.Equal((100, 0.05), (Apply(Preset.Best, "--max-steps", "100").MaxSteps, Apply(Preset.Best, "--max-steps", "100").EvalSteps));
        _ = byEpoch.Validated();
    }

    [Fact]
    public void Apply_NamesWhatItSet()
    {
        var values = Parse("--learning-rate", "1");
        Assert.DoesNotContain("learning_rate", Presets.Apply(Preset.Best, values), StringComparison.Ordinal);
        Assert.StartsWith("The preset hf has set logging_nan_inf_filter true, ", Presets.Apply(Preset.Hf, Parse()), StringComparison.Ordinal);
        Assert.Equal(Preset.Best, Parse("--preset", "best").Create<PresetArguments>().Preset);
        Assert.Equal("preset is good; it must be one of hf, best.", Assert.Throws<UsageException>(() => Parse("--preset", "good")).Message);
    }

    /// <summary>What is refused tells how many epochs the command would train.</summary>
    [Theory]
    [InlineData("20 epochs", "--preset", "best")]
    [InlineData("5 epochs", "--preset", "best", "--num-train-epochs", "5")]
    [InlineData("3 epochs", "--preset", "hf")]
    [InlineData("5 epochs")]                                               // of the embedded encoder, where no preset is named
    public void Train_Preset_IsInForce(string expected, params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run(["train", "--swa-start", "25", .. words]));
        Assert.Equal($"attune: swa_start is 25, but the run has {expected}, so nothing would be averaged; lower it.\n", terminal.Error);
    }

    private static TrainingArguments Apply(Preset preset, params string[] words)
    {
        var values = Parse(words);
        Presets.Apply(preset, values);
        return values.Create<TrainingArguments>();
    }

    private static ArgumentValues Parse(params string[] words)
    {
        var parser = new VerbParser(TrainCommand.Verb);
        var root = new RootCommand();
        root.Options.Clear();
        root.Add(parser.Command);
        return parser.Parse(root, ["train", .. words]);
    }
}
