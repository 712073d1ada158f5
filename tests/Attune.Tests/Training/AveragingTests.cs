using Attune.Batching;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Averages are what is evaluated and saved; the weights that are trained go their way as without them.</summary>
[Collection("torch")]
public sealed class AveragingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    private static readonly TokenizedDataset Eval = TinyRun.Data(9, seed: 1);

    public void Dispose() => _folder.Dispose();

    public static TheoryData<double?, double?, int> Averages() => new() { { 0.5, null, 0 }, { null, 0.5, 5 }, { null, 2, 6 } };

    [Theory, MemberData(nameof(Averages))]
    public void Train_Averaged_EvaluatesSavesAndEndsWithTheMeanAndTrainsAsWithout(double? decay, double? start, int firstUpdates)
    {
        using BertForSequenceClassification plain = TinyRun.Model(), model = TinyRun.Model();
        RunRecorder without = new(plain), with = new(model);
        Trainer(plain, args => args, without).Train(cancellation: TestContext.Current.CancellationToken);
        var trainer = Trainer(model, args => args with { EmaDecay = decay, SwaStart = start, SaveStrategy = SaveStrategy.Epoch }, with);
        trainer.Train(cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(9, with.Steps.Count);
        foreach (var (step, weights) in without.Weights) Assert.Equal(weights, with.Weights[step]);
        Assert.Equal(without.Steps.Select(step => step.Losses[0]), with.Steps.Select(step => step.Losses[0]));

        var (sum, total) = (new double[model.Weights.Count], 0.0);
        foreach (var (step, weights) in with.Weights.Where(pair => pair.Key > firstUpdates))
        {
            total = total * (decay ?? 1) + 1;
            for (var i = 0; i < sum.Length; i++) sum[i] = sum[i] * (decay ?? 1) + weights[i];
        }
        TensorAssert.Close(Array.ConvertAll(sum, one => (float)(one / total)), TinyRun.Weights(model), 1e-6, "the model at the end");
        Assert.NotEqual(TinyRun.Weights(plain), TinyRun.Weights(model));
        // The last evaluation of the run was of the same weights, and so is the last checkpoint.
        Assert.Equal(trainer.State.LogHistory.Last(entry => entry.ContainsKey("eval_loss"))["eval_loss"], trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"]);
        using var saved = BertForSequenceClassification.FromPretrained(CheckpointFiles.Newest(trainer.Args.OutputDir)!);
        Assert.Equal(TinyRun.Weights(model), TinyRun.Weights(saved));
    }

    [Fact]
    public void Train_ScheduleFree_EvaluatesAndSavesTheAverage()
    {
        using var model = TinyRun.Model();
        var recorder = new RunRecorder(model);
        var trainer = Trainer(model, args => args with { Optim = OptimizerName.ScheduleFreeAdamw, SaveStrategy = SaveStrategy.Epoch }, recorder);
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        Assert.NotEqual(recorder.Weights[9], TinyRun.Weights(model));
        Assert.Equal(trainer.State.LogHistory.Last(entry => entry.ContainsKey("eval_loss"))["eval_loss"], trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"]);
        using var saved = BertForSequenceClassification.FromPretrained(CheckpointFiles.Newest(trainer.Args.OutputDir)!);
        Assert.Equal(TinyRun.Weights(model), TinyRun.Weights(saved));
        Assert.Contains(_notices, line => line.StartsWith("optim schedule_free_adamw is meant for --lr-scheduler-type constant; it is linear", StringComparison.Ordinal));
    }

    [Fact]
    public void Checkpoint_OfAnAveragedRun_HoldsBothAndFitsNoOtherRun()
    {
        using BertForSequenceClassification model = TinyRun.Model(), other = TinyRun.Model();
        var recorder = new RunRecorder(model);
        Trainer(model, args => args with { EmaDecay = 0.9, SaveStrategy = SaveStrategy.Epoch }, recorder).Train(cancellation: TestContext.Current.CancellationToken);
        var folder = CheckpointFiles.Newest(Path.Combine(_folder.Path, "out"))!;
        using (var file = SafeTensors.Open(Path.Combine(folder, CheckpointFiles.Optimizer)))
        {
            Assert.Equal(("ema", "9"), (file.Metadata["averaged_weights"], file.Metadata["averaged_updates"]));
            var raw = new float[model.Weights.Count];
            file.ReadFloats(file.Find("raw_weights")!, raw);
            Assert.Equal(recorder.Weights[9], raw);
        }
        var error = Assert.Throws<AttuneException>(() => Trainer(other, args => args with { NumTrainEpochs = 5, OverwriteOutputDir = false }).Train("true", TestContext.Current.CancellationToken));
        Assert.Contains("averaged its weights in another way; resume with the same ema_decay and swa_start", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Computed again by hand: the best model, and with it each next one where the mean is no worse.</summary>
    [Theory, InlineData(2, 2e-2), InlineData(3, 2e-2), InlineData(3, 1e-3)]
    public void Train_Soup_IsTheGreedyMeanOfTheBestCheckpoints(int members, double rate)
    {
        using BertForSequenceClassification model = TinyRun.Model(), tried = TinyRun.Model();
        var trainer = Trainer(model, args => args with { Soup = members, SaveStrategy = SaveStrategy.Epoch, NumTrainEpochs = 6, SaveTotalLimit = 1, LearningRate = rate });
        trainer.Train(cancellation: TestContext.Current.CancellationToken);

        var best = trainer.State.LogHistory.Where(entry => entry.ContainsKey("eval_loss")).OrderBy(entry => entry["eval_loss"]).Take(members).ToList();
        var left = CheckpointFiles.All(trainer.Args.OutputDir).Select(folder => CheckpointFiles.Step(folder)!.Value).ToList();
        Assert.Equal(best.Select(entry => (long)entry["step"]).Append(18).Distinct().Order(), left);

        List<float[]> taken = [];
        var (loss, expected) = (best[0]["eval_loss"], Array.Empty<float>());
        foreach (var entry in best)
        {
            using (var one = BertForSequenceClassification.FromPretrained(CheckpointFiles.Folder(trainer.Args.OutputDir, (long)entry["step"]))) taken.Add(TinyRun.Weights(one));
            var mean = Enumerable.Range(0, taken[0].Length).Select(i => taken.Average(weights => weights[i])).ToArray();
            mean.CopyTo(Attune.Native.LibTorch.Span(tried.Weights.Values));
            var now = new Trainer(tried, TinyRun.Arguments(_folder.Path), evalDataset: Eval).Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"];
            if (taken.Count > 1 && now > loss) taken.RemoveAt(taken.Count - 1);
            else (loss, expected) = (now, mean);
        }
        TensorAssert.Close(expected, TinyRun.Weights(model), 1e-6, "soup");
        Assert.Contains(_notices, line => line.StartsWith(taken.Count == 1 ? "The soup is the model of update" : "The model is the mean of those of updates", StringComparison.Ordinal));
        Assert.Equal(loss, trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"], 1e-6);
    }

    /// <summary>Evaluations between two due checkpoints are saved where they are among the best.</summary>
    [Fact]
    public void Train_SoupOfRareCheckpoints_SavesTheBest()
    {
        using var model = TinyRun.Model();
        var trainer = Trainer(model, args => args with { Soup = 2, SaveStrategy = SaveStrategy.Steps, SaveSteps = 500, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 1 });
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        var best = trainer.State.LogHistory.Where(entry => entry.ContainsKey("eval_loss")).OrderBy(entry => entry["eval_loss"]).Take(2);
        Assert.All(best, entry => Assert.True(Directory.Exists(CheckpointFiles.Folder(trainer.Args.OutputDir, (long)entry["step"]))));
    }

    /// <summary>The first gets better all the time, but never by so much; the second gets worse.</summary>
    [Theory, InlineData(1, 1.0, 1e-3), InlineData(2, 0.0, 0.05)]
    public void Train_EarlyStoppingByArguments_IsTheCallback(int patience, double threshold, double rate)
    {
        using BertForSequenceClassification one = TinyRun.Model(), other = TinyRun.Model();
        TrainingArguments Changed(TrainingArguments args) => args with { NumTrainEpochs = 12, LearningRate = rate, MetricForBestModel = "loss" };
        var byArguments = Trainer(one, args => Changed(args) with { EarlyStoppingPatience = patience, EarlyStoppingThreshold = threshold });
        var byCallback = Trainer(other, Changed, new EarlyStoppingCallback(patience, threshold), "other");
        byArguments.Train(cancellation: TestContext.Current.CancellationToken);
        byCallback.Train(cancellation: TestContext.Current.CancellationToken);
        Assert.True(byArguments.State.GlobalStep < 36, "it did not stop early");
        Assert.Equal(byCallback.State.GlobalStep, byArguments.State.GlobalStep);
        Assert.Equal(TinyRun.Weights(other), TinyRun.Weights(one));
    }

    [Fact]
    public void Train_GradientsClippedByValue_MoveWeightsByNoMoreThanTheRateTimesIt()
    {
        using BertForSequenceClassification before = TinyRun.Model(), model = TinyRun.Model();
        Trainer(model, args => args with { Optim = OptimizerName.Sgd, LrSchedulerType = Attune.Optimization.SchedulerType.Constant, LearningRate = 1, MaxSteps = 1, MaxGradNorm = 0, ClipGradValue = 1e-3 })
            .Train(cancellation: TestContext.Current.CancellationToken);
        var moves = TinyRun.Weights(before).Zip(TinyRun.Weights(model), (a, b) => Math.Abs((double)b - a)).ToList();
        Assert.Equal(1e-3, moves.Max(), 1e-6);
        Assert.True(moves.Count(move => move > 0.999e-3) > 10, "too few gradients were long enough to show anything");
    }

    public static TheoryData<string, TrainingArguments> Unfit() => new()
    {
        { "ema_decay is 1; it must lie above 0 and below 1.", new() { EmaDecay = 1 } },
        { "swa_start is -1; it must be at least 0.", new() { SwaStart = -1 } },
        { "swa_start is 3, but the run has 3 epochs", new() { SwaStart = 3 } },
        { "ema_decay and swa_start both say", new() { EmaDecay = 0.9, SwaStart = 0.5 } },
        { "optim schedule_free_sgd averages the weights itself; leave out ema_decay", new() { EmaDecay = 0.9, Optim = OptimizerName.ScheduleFreeSgd } },
        { "soup is 1; it must be at least 2", new() { Soup = 1 } },
        { "soup needs evaluations to choose from", new() { Soup = 2 } },
        { "soup is made of checkpoints, but save_strategy is no", new() { Soup = 2, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.No } },
        { "early_stopping_patience is 0; it must be at least 1", new() { EarlyStoppingPatience = 0, EvalStrategy = IntervalStrategy.Epoch } },
        { "early_stopping_patience counts evaluations", new() { EarlyStoppingPatience = 1 } },
        { "early_stopping_threshold is -1; it must be at least 0", new() { EarlyStoppingThreshold = -1 } },
    };

    [Theory, MemberData(nameof(Unfit))]
    public void Validated_ImpossibleCombination_IsOneSentence(string message, TrainingArguments args) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => args.Validated()).Message, StringComparison.Ordinal);

    [Fact]
    public void Train_SwaStartBeyondTheUpdates_IsOneSentence()
    {
        using var model = TinyRun.Model();
        Assert.StartsWith("swa_start is 2, but the run has 4 updates, 3 an epoch", Assert.Throws<AttuneException>(
            () => Trainer(model, args => args with { SwaStart = 2, MaxSteps = 4 }).Train(cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private Trainer Trainer(BertForSequenceClassification model, Func<TrainingArguments, TrainingArguments> change, TrainerCallback? callback = null, string name = "out")
    {
        var args = change(TinyRun.Arguments(Path.Combine(_folder.Path, name)) with { OverwriteOutputDir = true, SaveStrategy = SaveStrategy.No });
        return new(model, args, TinyRun.Data(11), Eval, callbacks: callback is null ? [] : [callback], notice: _notices.Add);
    }
}
