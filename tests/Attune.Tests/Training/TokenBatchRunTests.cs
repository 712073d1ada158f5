using Attune.Batching;
using Attune.Checkpoints;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Runs whose batches are made by tokens. That they are resumed to the bit stands in <see cref="ResumeTests"/>, several processes in DataParallelTests.</summary>
[Collection("torch")]
public sealed class TokenBatchRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory, InlineData(3, -1), InlineData(2.5, -1), InlineData(1, 13)]
    public void Train_ByTokens_MakesTheUpdatesThatThePlanSays(double epochs, int maxSteps)
    {
        var args = TinyRun.Arguments(_folder.Path) with { MaxTokensPerBatch = 20, NumTrainEpochs = epochs, MaxSteps = maxSteps, WarmupSteps = 0, EvalStrategy = IntervalStrategy.No };
        var data = TinyRun.Data(23);
        var plan = TrainingPlan.Of(args, Samplers.Batches(args, data));
        var run = Train(args, data);
        Assert.Equal(plan.TotalSteps, run.Steps.Count);
        Assert.Equal(maxSteps > 0 ? maxSteps : plan.UpdatesOf(epochs), plan.TotalSteps);
        Assert.True(plan.UpdatesIn(0) != plan.UpdatesIn(1) || plan.UpdatesIn(1) != plan.UpdatesIn(2), "all epochs have as many updates, so nothing is shown");
        foreach (var (update, step) in run.Steps.Index()) Assert.Equal(args.LearningRate * (1 - update / (double)plan.TotalSteps), step.LearningRate, 1e-12);
        var (first, place) = (0, 0);
        for (var epoch = 0; epoch < plan.Epochs && first < run.Steps.Count; epoch++, first = place)
        {
            var updates = run.Steps.Skip(first).Take((int)plan.UpdatesIn(epoch)).ToList();
            place = first + updates.Count;
            Assert.Equal(plan.PlaceAfter(place), updates.Count == plan.UpdatesIn(epoch) ? (epoch + 1, 0) : (epoch, updates.Count));
            if (updates.Count == plan.UpdatesIn(epoch)) Assert.Equal(Enumerable.Range(0, 23), updates.SelectMany(step => step.Rows.SelectMany(rows => rows)).Order());
            Assert.All(updates.SelectMany(step => step.Rows), rows => Assert.InRange(rows.Sum(row => data.Rows[row].Length), 1, 20));
        }
        Assert.Equal(plan.EpochsOfRun, run.State.Epoch!.Value, 0.3);
        Assert.Null(run.State.TrainBatchSize);
    }

    /// <summary>All rows in one batch, or in small batches of one update: each row counts alike.</summary>
    [Fact]
    public void Train_SmallBatchesOfOneUpdate_EqualOneBatch()
    {
        var args = TinyRun.Arguments(_folder.Path) with { NumTrainEpochs = 4, EvalStrategy = IntervalStrategy.No, OverwriteOutputDir = true };
        var one = Train(args with { MaxTokensPerBatch = 10_000, GradientAccumulationSteps = 1 }, TinyRun.Data(11));
        var many = Train(args with { MaxTokensPerBatch = 17, GradientAccumulationSteps = 100 }, TinyRun.Data(11));
        Assert.Equal(4, one.Steps.Count);
        Assert.Equal(4, many.Steps.Count);
        Assert.InRange(many.Steps[0].Rows.Count, 3, 11);
        foreach (var (expected, actual) in one.Steps.Zip(many.Steps)) Assert.Equal(expected.Loss, actual.Loss, 1e-5);
        foreach (var (expected, actual) in one.Weights.Zip(many.Weights)) Assert.Equal(expected, actual, 1e-4);
    }

    [Fact]
    public void Train_ResumedWithOtherBatches_KeepsTheCheckpointsAndSaysSo()
    {
        var args = TinyRun.Arguments(_folder.Path) with { MaxTokensPerBatch = 20, EvalStrategy = IntervalStrategy.No };
        var whole = Train(args with { OutputDir = Path.Combine(_folder.Path, "whole") }, TinyRun.Data(23));
        Train(args with { OutputDir = Path.Combine(_folder.Path, "other") }, TinyRun.Data(23), stopAfter: 3);
        var other = Train(args with { OutputDir = Path.Combine(_folder.Path, "other"), MaxTokensPerBatch = 33 }, TinyRun.Data(23), resume: "true");
        Assert.Equal(whole.Weights, other.Weights);
        Assert.Contains("Batches stay of at most 20 tokens, as in the checkpoint, so that training goes on at the same row.", other.Notices);
        Train(args with { OutputDir = Path.Combine(_folder.Path, "rows"), MaxTokensPerBatch = null }, TinyRun.Data(23), stopAfter: 3);
        var rows = Train(args with { OutputDir = Path.Combine(_folder.Path, "rows") }, TinyRun.Data(23), resume: "true");
        Assert.Contains("per_device_train_batch_size stays 2, as in the checkpoint, so that training goes on at the same row.", rows.Notices);
        Assert.All(rows.Steps.SelectMany(step => step.Rows), batch => Assert.InRange(batch.Count, 1, 2));
    }

    [Fact]
    public void Evaluate_ByTokens_GivesWhatRowsGive()
    {
        var data = TinyRun.Data(23);
        using var model = TinyRun.Model();
        var args = TinyRun.Arguments(_folder.Path);
        var byRows = new Trainer(model, args, evalDataset: data).Predict(data, cancellation: TestContext.Current.CancellationToken);
        var byTokens = new Trainer(model, args with { MaxTokensPerEvalBatch = 25 }, evalDataset: data).Predict(data, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(byRows.Metrics["test_loss"], byTokens.Metrics["test_loss"], 1e-6);
        Assert.Equal(byRows.Logits.Length, byTokens.Logits.Length);
        foreach (var (one, other) in byRows.Logits.Zip(byTokens.Logits)) Assert.Equal(one, other, 1e-5);
        Assert.Equal(EvaluationBatches.Starts(args with { MaxTokensPerBatch = 25 }, data), EvaluationBatches.Starts(args with { MaxTokensPerEvalBatch = 25, MaxTokensPerBatch = 3 }, data));
    }

    /// <summary>Memory that holds few rows: batches by tokens are cut as those of rows are.</summary>
    [Fact]
    public void Train_LittleMemory_CutsTheBatchesWithTheSameResult()
    {
        var args = TinyRun.Arguments(_folder.Path) with { MaxTokensPerBatch = 60, EvalStrategy = IntervalStrategy.No, OverwriteOutputDir = true };
        var whole = Train(args, TinyRun.Data(23));
        using var model = TinyRun.Model();
        var row = MicroBatches.RowBytes.Measure(model, TinyRun.Data(23).Rows.MaxBy(one => one.Length)!);
        var cut = Train(args with { AutoFindBatchSize = true }, TinyRun.Data(23), free: (long)(2.5 * row.Of(12) / MicroBatches.Usable));
        Assert.Contains(cut.Notices, line => line.Contains("so a batch that does not fit is computed in parts", StringComparison.Ordinal));
        foreach (var (expected, actual) in whole.Weights.Zip(cut.Weights)) Assert.Equal(expected, actual, 1e-4);
    }

    [Fact]
    public void Validated_WithDropLast_IsRefused() => Assert.Contains("dataloader_drop_last leaves out", Assert.Throws<AttuneException>(
        () => new TrainingArguments { MaxTokensPerBatch = 100, DataloaderDropLast = true }.Validated()).Message, StringComparison.Ordinal);

    private static Result Train(TrainingArguments args, TokenizedDataset data, int? stopAfter = null, string? resume = null, long? free = null)
    {
        using var model = TinyRun.Model();
        using var stop = new CancellationTokenSource();
        var (recorder, notices) = (new RunRecorder(model), new List<string>());
        var trainer = new Trainer(model, args, data, callbacks: [recorder, new Stopper(stop, stopAfter)], notice: notices.Add) { FreeMemoryBytes = free };
        trainer.Train(resume, stop.Token);
        return new Result(recorder.Steps, TinyRun.Weights(model), trainer.State, notices);
    }

    private sealed record Result(IReadOnlyList<StepResult> Steps, float[] Weights, TrainerState State, List<string> Notices);
}
