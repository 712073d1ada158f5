using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Runs in float16 with its loss scale. How they are resumed stands in <see cref="ResumeTests"/>, their losses beside transformers' in <see cref="TrajectoryTests"/>.</summary>
[Collection("torch")]
public sealed class MixedPrecisionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BertForSequenceClassification _model = TinyRun.Model();
    private readonly List<string> _notices = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    /// <summary>A scale so large that gradients overflow: until it is small enough no update is made, and the schedule waits, as in transformers.</summary>
    [Theory, InlineData(null, 1.0), InlineData(true, 1.0), InlineData(null, null)]
    public void Train_GradientsOverflow_UpdatesAreSkippedUntilTheScaleFits(bool? filter, double? norm)
    {
        const double first = 1L << 36;
        var args = Arguments() with { FirstLossScale = first, MaxSteps = 40, LoggingNanInfFilter = filter, MaxGradNorm = norm };
        var recorder = Train(args, out var trainer);
        var skipped = Enumerable.Range(1, 40).Where(update => Same(recorder, update)).ToList();
        Assert.Equal([1, 2, 3, 4, 5], skipped[..5]);
        Assert.InRange(skipped.Count, 6, 30);
        Assert.Equal(40, trainer.State.GlobalStep);
        var lines = _notices.Where(line => line.Contains("loss scale", StringComparison.Ordinal)).ToList();
        Assert.Equal(skipped.Count, lines.Count);
        foreach (var (i, line) in lines.Index()) Assert.EndsWith($"so it is skipped: the weights stay as they are, and the loss scale of fp16 falls to {first / Math.Pow(2, i + 1)}.", line, StringComparison.Ordinal);
        foreach (var (i, step) in recorder.Steps.Index())
        {
            Assert.Equal(args.LearningRate * (1 - (i - skipped.Count(update => update <= i)) / 40.0), step.LearningRate, 1e-12);
            Assert.InRange(step.Loss, 0.1, 3);                             // as it is without the scale
        }
        Assert.True(recorder.Steps[^6..].Average(step => step.Loss) < recorder.Steps[..6].Average(step => step.Loss));
    }

    [Fact]
    public void Train_UpdatesMadeInARow_LetTheScaleGrow()
    {
        Train(Arguments() with { FirstLossScale = 1024, LossScaleInterval = 3, MaxSteps = 8 }, out _);
        Assert.Equal(["The loss scale of fp16 grows to 2048.", "The loss scale of fp16 grows to 4096."], _notices.Where(line => line.Contains("loss scale", StringComparison.Ordinal)));
        Assert.Single(_notices, line => line.StartsWith("fp16 is imitated on a processor", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_WeightTooLargeForFloat16_StopsWithTheWeightsBefore()
    {
        var before = _model.Weights["bert.encoder.layer.0.intermediate.dense.weight"].Span;
        for (var i = 0; i < before.Length; i++) before[i] = i % 2 == 0 ? 1e6f : -1e6f;
        var weights = TinyRun.Weights(_model);
        var error = Assert.Throws<AttuneException>(() => Train(Arguments() with { MaxSteps = 40 }, out _));
        Assert.Matches(@"^The loss of update 17 is not a finite number [^\n]+, with a loss scale of only 1 and after 16 updates that were skipped, so training stopped; leave out fp16", error.Message);
        Assert.Equal(weights, TinyRun.Weights(_model));
    }

    /// <summary>Whoever looks at gradients sees them without the scale, and so do norm and clipping.</summary>
    [Fact]
    public void Train_GradientsSeenByCallbacks_AreNearThoseOfFloat32()
    {
        var (half, single) = (new GradientReader(), new GradientReader());
        Train(Arguments() with { MaxSteps = 1 }, out _, half);
        using var other = TinyRun.Model();
        single.Model = other;
        var trainer = new Trainer(other, Arguments() with { Fp16 = false, MaxSteps = 1, OverwriteOutputDir = true }, TinyRun.Data(11), callbacks: [single]);
        trainer.Train(cancellation: Stop);
        Assert.Equal(single.Norm, half.Norm, 1e-2 * single.Norm);
        Assert.NotEqual(single.Norm, half.Norm);
        Assert.Equal(half.Reported, half.Norm, 1e-6);
    }

    [Fact]
    public void Train_WithoutFp16_HasNoScale()
    {
        Train(Arguments() with { Fp16 = false, FirstLossScale = double.NaN, LossScaleInterval = 1 }, out _);
        Assert.Empty(_notices);
        Assert.Null(ResumeState.Read(CheckpointFiles.Newest(_folder.Path)!)!.LossScale);
        var weights = TinyRun.Weights(_model);
        using var other = TinyRun.Model();
        new Trainer(other, Arguments() with { Fp16 = false, OverwriteOutputDir = true }, TinyRun.Data(11)).Train(cancellation: Stop);
        Assert.Equal(weights, TinyRun.Weights(other));
    }

    [Fact]
    public void Resume_CheckpointWithoutFp16_BeginsWithTheFirstScaleAndSaysSo()
    {
        Train(Arguments() with { Fp16 = false, MaxSteps = 2 }, out _);
        using var model = TinyRun.Model();
        new Trainer(model, Arguments() with { MaxSteps = 3 }, TinyRun.Data(11), notice: _notices.Add).Train("true", Stop);
        Assert.Contains(_notices, line => line.EndsWith("has no loss scale of fp16; so it begins with 65536.", StringComparison.Ordinal));
        Assert.Equal(new LossScaleState(LossScale.First, 1, 0), ResumeState.Read(CheckpointFiles.Folder(_folder.Path, 3))!.LossScale);
    }

    [Fact]
    public void Evaluate_Fp16FullEval_ComputesInFloat16AndTrainsInFloat32()
    {
        double Loss(TrainingArguments args)
        {
            using var model = TinyRun.Model();
            return new Trainer(model, args, evalDataset: TinyRun.Data(9)).Evaluate(cancellation: Stop)["eval_loss"];
        }

        var (single, half) = (Loss(Arguments() with { Fp16 = false }), Loss(Arguments() with { Fp16 = false, Fp16FullEval = true }));
        Assert.NotEqual(single, half);
        Assert.Equal(single, half, 1e-3);
        Assert.Equal(half, Loss(Arguments()));
    }

    [Fact]
    public void Validated_TwoTypesTogether_AreRefused()
    {
        Assert.Contains("fp16 and bf16", Assert.Throws<AttuneException>(() => new TrainingArguments { Fp16 = true, Bf16 = true }.Validated()).Message, StringComparison.Ordinal);
        Assert.Contains("bf16_full_eval", Assert.Throws<AttuneException>(() => new TrainingArguments { Fp16FullEval = true, Bf16FullEval = true }.Validated()).Message, StringComparison.Ordinal);
        Assert.True(TransformersArguments.FromJson(new JsonObject { ["fp16"] = true }).Fp16);
    }

    private TrainingArguments Arguments() => TinyRun.Arguments(_folder.Path) with
    {
        Fp16 = true,
        GradientAccumulationSteps = 1,
        WarmupSteps = 0,
        EvalStrategy = IntervalStrategy.No,
        LoggingSteps = 1000,
    };

    private RunRecorder Train(TrainingArguments args, out Trainer trainer, GradientReader? reader = null)
    {
        var recorder = new RunRecorder(_model);
        if (reader is not null) reader.Model = _model;
        trainer = new Trainer(_model, args, TinyRun.Data(11), callbacks: reader is null ? [recorder] : [recorder, reader], notice: _notices.Add);
        trainer.Train(cancellation: Stop);
        return recorder;
    }

    private static bool Same(RunRecorder recorder, int update) => recorder.Weights[update - 1].AsSpan().SequenceEqual(recorder.Weights[update]);

    private sealed class GradientReader : TrainerCallback
    {
        internal BertForSequenceClassification Model { get; set; } = null!;

        internal double Norm { get; private set; }

        internal double Reported { get; private set; }

        public override void OnPreOptimizerStep(TrainingArguments args, TrainerState state, TrainerControl control) => Norm = GradientNorm.Compute(Model.Weights);

        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step) => Reported = step.GradNorm!.Value;
    }
}
