using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Metrics;
using Attune.Models;
using Attune.Optimization;
using Attune.Reporting;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

[Collection("torch")]
public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BertForSequenceClassification _model = TinyRun.Model();
    private readonly List<string> _notices = [];

    private string Out => Path.Combine(_folder.Path, "out");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Train_MicroBatches_DoNotChangeTheResult()
    {
        // Dropout is keyed by the row's number in the update, so only the order of summation differs.
        var whole = Train(TinyRun.Arguments(Out) with { PerDeviceTrainBatchSize = 4, GradientAccumulationSteps = 1, MaxGradNorm = null }, rows: 8);
        var parts = Train(TinyRun.Arguments(Out) with { PerDeviceTrainBatchSize = 1, GradientAccumulationSteps = 4, MaxGradNorm = null, OverwriteOutputDir = true }, rows: 8);
        Assert.Equal(whole.Output.TrainingLoss, parts.Output.TrainingLoss, 1e-5);
        TensorAssert.Close(whole.Weights, parts.Weights, 1e-4, "weights");
    }

    [Fact]
    public void Train_TwiceWithTheSameSeed_GivesTheSameToTheBit()
    {
        var args = TinyRun.Arguments(Out) with { MaxSteps = 200, OverwriteOutputDir = true };
        var first = Train(args);
        var second = Train(args);
        Assert.Equal(first.Weights, second.Weights);
        var other = Train(args with { Seed = 43 });
        Assert.NotEqual(first.Weights, other.Weights);
    }

    [Fact]
    public void Train_LossNotANumberFourTimes_StopsWithTheWeightsBefore()
    {
        // The first update makes the weights so large that those after it have no loss.
        var args = TinyRun.Arguments(Out) with { LearningRate = 1e30, WarmupSteps = 0, GradientAccumulationSteps = 1 };
        var recorder = new RunRecorder(_model);
        var notices = new List<string>();
        var trainer = new Trainer(_model, args, TinyRun.Data(12), TinyRun.Data(4), callbacks: [recorder], notice: notices.Add);
        var error = Assert.Throws<AttuneException>(() => trainer.Train(cancellation: Stop));
        const string where = @"of update {0} is not a finite number \(training rows \d+, \d+, counted from 0; learning rate \S+\)";
        foreach (var update in (int[])[2, 3, 4])
            Assert.Single(notices, line => Regex.IsMatch(line, $"^The (loss|gradient) {string.Format(CultureInfo.InvariantCulture, where, update)}, so it is skipped"));
        Assert.Matches($"^The (loss|gradient) {string.Format(CultureInfo.InvariantCulture, where, 5)}, and so it was 3 updates before, so training stopped; [^\n]+checkpoint-4 holds the state before\\.$", error.Message);
        Assert.Equal(recorder.Weights[1], TinyRun.Weights(_model));
        Assert.Equal(CheckpointFiles.Folder(Out, 4), Checkpoint.Find("true", Out, notices.Add));
    }

    [Fact]
    public void Train_OneRowWithoutLoss_SkipsItsUpdateAndGoesOnAsIfItHadNone()
    {
        // 11 rows of numbers, one of them not finite: in each of three epochs one update of three is skipped.
        var args = TinyRun.Arguments(Out) with { LoggingSteps = 1, WarmupSteps = 0, LrSchedulerType = SchedulerType.Constant };
        var values = Enumerable.Range(0, 11).Select(row => row == 4 ? float.PositiveInfinity : row / 10f).ToArray();
        var rows = TinyRun.Data(11).Rows;
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { LabelNames = ["value"] }, seed: 1);
        var recorder = new RunRecorder(model);
        var notices = new List<string>();
        var data = new TokenizedDataset(rows, new RegressionTargets(values));
        var trainer = new Trainer(model, args with { EvalStrategy = IntervalStrategy.No }, data, callbacks: [recorder], notice: notices.Add);
        var output = trainer.Train(cancellation: Stop);
        Assert.Equal(9, output.GlobalStep);
        Assert.Equal(3, notices.Count(line => line.Contains("is skipped", StringComparison.Ordinal)));
        foreach (var (number, step) in recorder.Steps.Index())
        {
            var isSkipped = step.Rows.Any(batch => batch.Contains(4));
            Assert.Equal(isSkipped, recorder.Weights[number].AsSpan().SequenceEqual(recorder.Weights[number + 1]));
        }
        Assert.All(trainer.State.LogHistory, entry => Assert.All(entry.Values, value => Assert.True(double.IsFinite(value))));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Train_LossNotANumber_GoesOnWhereTheFilterIsGiven(bool filter)
    {
        var args = TinyRun.Arguments(Out) with { LearningRate = 1e30, WarmupSteps = 0, LoggingNanInfFilter = filter, LoggingSteps = 1 };
        var trainer = new Trainer(_model, args, TinyRun.Data(8), TinyRun.Data(4));
        Assert.False(trainer.Train(cancellation: Stop).Interrupted);
        Assert.Equal(filter, trainer.State.LogHistory.Where(entry => entry.ContainsKey("loss")).All(entry => double.IsFinite(entry["loss"])));
    }

    [Fact]
    public void Train_FolderOfAnotherRun_IsRefusedUnlessAsked()
    {
        var args = TinyRun.Arguments(Out) with { SaveStrategy = SaveStrategy.Epoch };
        Train(args);
        var unfinished = Assert.Throws<AttuneException>(() => Train(args)).Message;
        Assert.Contains("--resume-from-checkpoint true", unfinished, StringComparison.Ordinal);
        var trainer = new Trainer(_model, args, TinyRun.Data(11), TinyRun.Data(9));
        trainer.SaveModel();
        var before = File.ReadAllBytes(Path.Combine(Out, CheckpointFiles.Weights));
        var finished = Assert.Throws<AttuneException>(() => Train(args)).Message;
        Assert.Contains("--overwrite-output-dir", finished, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Out, CheckpointFiles.Weights)));

        Train(args with { OverwriteOutputDir = true, NumTrainEpochs = 1 });
        Assert.Equal(["checkpoint-3"], CheckpointFiles.All(Out).Select(Path.GetFileName));
        Assert.False(File.Exists(Path.Combine(Out, CheckpointFiles.Weights)));
    }

    [Theory, InlineData("true"), InlineData(null)]
    public void Train_ArgumentThatIsRefused_LeavesTheEarlierRun(string? overwrite)
    {
        var args = TinyRun.Arguments(Out) with { SaveStrategy = SaveStrategy.Epoch };
        Train(args);
        var before = Directory.GetFileSystemEntries(Out, "*", SearchOption.AllDirectories);
        Assert.Throws<AttuneException>(() => Train(args with { OverwriteOutputDir = overwrite is not null, LearningRate = -1 }));
        Assert.Equal(before, Directory.GetFileSystemEntries(Out, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Train_CheckpointOfAnotherFolder_DoesNotReplaceTheRunInThisOne()
    {
        var (here, there) = (TinyRun.Arguments(Out) with { SaveStrategy = SaveStrategy.Epoch }, TinyRun.Arguments(Path.Combine(_folder.Path, "there")) with { SaveStrategy = SaveStrategy.Epoch });
        Train(here);
        Train(there);
        using var model = TinyRun.Model();
        var error = Assert.Throws<AttuneException>(() => new Trainer(model, here, TinyRun.Data(11), TinyRun.Data(9))
            .Train(CheckpointFiles.Folder(there.OutputDir, 3), Stop));
        Assert.Contains("holds an unfinished run", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_FolderInUse_IsRefused()
    {
        var args = TinyRun.Arguments(Out);
        var unfinished = Path.Combine(Out, ".checkpoint-5.0f.tmp");            // which the other process is just writing
        using (OutputFolder.Prepare(args, checkpoint: null))
        {
            Directory.CreateDirectory(unfinished);
            Assert.Contains("is in use", Assert.Throws<AttuneException>(() => Train(args)).Message, StringComparison.Ordinal);
            Assert.True(Directory.Exists(unfinished));
        }
        Train(args);
        Assert.False(Directory.Exists(unfinished));
    }

    [Fact]
    public void Train_AfterARunThatFailed_StartsWithCleanGradients()
    {
        var args = TinyRun.Arguments(Out) with { OverwriteOutputDir = true, SaveStrategy = SaveStrategy.No, EvalStrategy = IntervalStrategy.No };
        var before = TinyRun.Weights(_model);
        Assert.Throws<AttuneException>(() => new Trainer(_model, args, new TokenizedDataset(TinyRun.Data(4).Rows, new ClassLabels([0, 1, 2, 3]))).Train(cancellation: Stop));
        Assert.Equal(before, TinyRun.Weights(_model));
        new Trainer(_model, args, TinyRun.Data(11)).Train(cancellation: Stop);
        Assert.Equal(Train(args).Weights, TinyRun.Weights(_model));
        Assert.False(_model.Training);
    }

    [Fact]
    public void Train_WithinADisposeScope_KeepsWhatOutlivesIt()
    {
        using var optimizer = new Attune.Optimization.AdamW(_model.Weights);
        var batch = TinyRun.Data(4).Batch([0, 1, 2, 3]);
        double? last = null;
        for (var step = 0; step < 3; step++)
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            _model.Training = true;
            using var output = _model.Forward(batch);
            output.Backward();
            optimizer.Step();
            optimizer.ZeroGrad();
            Assert.NotEqual(last, output.Loss);
            last = output.Loss;
        }
    }

    [Fact]
    public void Train_FolderThatCannotBe_SaysSoBeforeTraining()
    {
        var recorder = new RunRecorder(_model);
        var args = TinyRun.Arguments(Path.Combine(_folder.Write("file", "x"), "out"));
        var error = Assert.Throws<AttuneException>(() => new Trainer(_model, args, TinyRun.Data(8), TinyRun.Data(4), callbacks: [recorder]).Train(cancellation: Stop));
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
        Assert.Equal(["init_end 0"], recorder.Events);
    }

    [Fact]
    public void Train_MissingParts_AreNamed()
    {
        var args = TinyRun.Arguments(Out);
        var rows = TinyRun.Data(4);
        Assert.Contains("no evaluation set", Message(() => _ = new Trainer(_model, args, rows)), StringComparison.Ordinal);
        Assert.Contains("no training set", Message(() => new Trainer(_model, args, evalDataset: rows).Train(cancellation: Stop)), StringComparison.Ordinal);
        Assert.Contains("no labels", Message(() => new Trainer(_model, args, new TokenizedDataset(rows.Rows), rows).Train(cancellation: Stop)), StringComparison.Ordinal);
        Assert.Contains("no rows", Message(() => new Trainer(_model, args, TinyRun.Data(0), rows).Train(cancellation: Stop)), StringComparison.Ordinal);
        Assert.Contains("classes", Message(() => new Trainer(_model, args, new TokenizedDataset(rows.Rows, new ClassLabels([0, 1, 2, 3])), rows).Train(cancellation: Stop)), StringComparison.Ordinal);

        static string Message(Action action) => Assert.Throws<AttuneException>(action).Message;
    }

    [Fact]
    public void Predict_WithoutLabels_GivesLogitsInTheOrderOfTheRows()
    {
        var trainer = new Trainer(_model, TinyRun.Arguments(Out) with { GroupByLength = true }, evalDataset: TinyRun.Data(4));
        var rows = TinyRun.Data(9, seed: 3);
        var output = trainer.Predict(new TokenizedDataset(rows.Rows), cancellation: Stop);
        Assert.Null(output.Labels);
        Assert.Equal(["test_runtime", "test_samples_per_second", "test_steps_per_second"], output.Metrics.Keys);
        for (var row = 0; row < rows.Count; row++)
        {
            using var alone = _model.Forward(rows.Batch([row]));
            TensorAssert.Close(alone.Logits, output.Logits.AsSpan(row * output.Columns, output.Columns), 1e-5, $"row {row}");
        }
        Assert.Empty(trainer.State.LogHistory);
    }

    [Fact]
    public void Sampling_BalancedOrWeighted_TrainsOnTheRowsOfTheSampler()
    {
        var rows = TinyRun.Data(11);
        foreach (var (kind, sampler) in new[]
                 {
                     (SamplingKind.Balanced, Sampler.Balanced(rows.Labels!, 9)), (SamplingKind.Weighted, Sampler.Weighted(rows.Labels!, 9)),
                 })
        {
            using var model = TinyRun.Model();
            var recorder = new RunRecorder(model);
            var args = TinyRun.Arguments(Path.Combine(Out, kind.ToString())) with { Sampling = kind, DataSeed = 9, NumTrainEpochs = 2, EvalStrategy = IntervalStrategy.No };
            new Trainer(model, args, rows, callbacks: [recorder]).Train(cancellation: Stop);
            Assert.Equal(sampler.Order(0).Concat(sampler.Order(1)), recorder.Steps.SelectMany(step => step.Rows.SelectMany(batch => batch)));
        }
        using var numbers = BertForSequenceClassification.FromConfig(TinyRun.Config with { LabelNames = ["value"] }, seed: 1);
        var trainer = new Trainer(numbers, TinyRun.Arguments(Out) with { Sampling = SamplingKind.Balanced, EvalStrategy = IntervalStrategy.No },
            new TokenizedDataset(rows.Rows, new RegressionTargets(new float[11])));
        Assert.StartsWith("sampling is for classes", Assert.Throws<AttuneException>(() => trainer.Train(cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(WindowPooling.Mean), InlineData(WindowPooling.Max), InlineData(WindowPooling.Vote)]
    public void Predict_WindowsOfTexts_AreOneAnswerEach(WindowPooling pooling)
    {
        var rows = TinyRun.Data(9, seed: 3);
        int[] starts = [0, 1, 4, 5, 9];
        var labels = rows.Labels!.Select([0, 1, 1, 1, 4, 5, 5, 5, 5]);
        EvalPrediction? seen = null;
        var trainer = new Trainer(_model, TinyRun.Arguments(Out), evalDataset: rows, computeMetrics: prediction =>
        {
            seen = prediction;
            return new Dictionary<string, double> { ["accuracy"] = 0.5 };
        })
        {
            WindowPooling = pooling,
        };
        var alone = trainer.Predict(rows, cancellation: Stop).Logits;
        var output = trainer.Predict(new TokenizedDataset(rows.Rows, labels, starts), cancellation: Stop);
        var expected = PooledWindows.Logits(alone, output.Columns, starts, pooling, TaskKind.SingleLabel);
        Assert.Equal(expected, output.Logits);
        Assert.Equal(4, seen!.Rows);
        Assert.Equal(expected, seen.Logits);
        Assert.Equal(Assert.IsType<ClassLabels>(rows.Labels!.Select([0, 1, 4, 5])).Values, Assert.IsType<ClassLabels>(output.Labels).Values);
        Assert.Equal(expected, trainer.Predict(new TokenizedDataset(rows.Rows, null, starts), cancellation: Stop).Logits);
    }

    [Fact]
    public void TokenizedDataset_TextStarts_MustNameEveryText()
    {
        var rows = TinyRun.Data(4).Rows;
        foreach (var starts in (int[][])[[], [0], [1, 4], [0, 2, 2, 4], [0, 3]]) Assert.Throws<ArgumentException>(() => new TokenizedDataset(rows, null, starts));
        Assert.Equal(2, new TokenizedDataset(rows, null, [0, 3, 4]).Texts);
        Assert.Null(new TokenizedDataset(rows, null, [0, 1, 2, 3, 4]).TextStarts);      // each row is a text, so nothing is to be pooled
    }

    [Fact]
    public void Evaluate_OtherPrefix_StandsBeforeEveryMetric()
    {
        var trainer = new Trainer(
            _model, TinyRun.Arguments(Out), evalDataset: TinyRun.Data(5), computeMetrics: prediction => new Dictionary<string, double> { ["rows"] = prediction.Rows });
        var metrics = trainer.Evaluate(prefix: "eval_mm", cancellation: Stop);
        Assert.Equal(["eval_mm_loss", "eval_mm_rows", "eval_mm_runtime", "eval_mm_samples_per_second", "eval_mm_steps_per_second"], metrics.Keys);
        Assert.Equal(5, metrics["eval_mm_rows"]);
    }

    [Fact]
    public void SmoothedRegression_HasNoEffect_AndIsSaid()
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { LabelNames = ["LABEL_0"] }, seed: 1);
        var rows = TinyRun.Data(4).Rows;
        var args = TinyRun.Arguments(Out) with { LabelSmoothingFactor = 0.1, EvalStrategy = IntervalStrategy.No };
        var trainer = new Trainer(model, args, new TokenizedDataset(rows, new RegressionTargets([0.5f, 1, 2, 3])), notice: _notices.Add);
        Assert.Equal(0, trainer.Args.LabelSmoothingFactor);
        Assert.Contains("label_smoothing_factor", Assert.Single(_notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_AfterARun_AreThoseOfTransformers()
    {
        var trainer = new Trainer(_model, TinyRun.Arguments(Out) with { NumTrainEpochs = 1, SaveStrategy = SaveStrategy.Epoch }, TinyRun.Data(11), TinyRun.Data(9));
        var output = trainer.Train(cancellation: Stop);
        trainer.SaveModel();
        trainer.SaveMetrics("train", new OrderedDictionary<string, double>(output.Metrics) { ["train_samples"] = 11 });
        trainer.SaveMetrics("eval", trainer.Evaluate(cancellation: Stop));
        trainer.SaveState();
        Assert.Equal(
            ["all_results.json", "config.json", "eval_results.json", "model.safetensors", "train_results.json", "trainer_state.json"],
            Directory.GetFiles(Out).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var train = File.ReadAllText(Path.Combine(Out, "train_results.json"));
        Assert.StartsWith("{\n    \"epoch\": 1.0,\n    \"total_flos\": ", train, StringComparison.Ordinal);
        Assert.Contains("\n    \"train_samples\": 11,\n", train, StringComparison.Ordinal);
        var all = PythonJson.ReadFile(Path.Combine(Out, "all_results.json"))!.AsObject();
        Assert.All((string[])["train_loss", "train_runtime", "train_samples", "eval_loss", "eval_runtime", "epoch"], name => Assert.NotNull(all[name]));
        Assert.True(output.PeakMemoryBytes > 0);
        var bytes = _model.ParameterCount * sizeof(float);
        Assert.Equal(new TrainingMemory(bytes, bytes, 2 * bytes), output.Memory);                    // AdamW keeps two moments
    }

    [Fact]
    public void TrainerState_Text_IsThatOfTransformers()
    {
        var state = new TrainerState { Epoch = 0.5, GlobalStep = 2, MaxSteps = 4, NumTrainEpochs = 1, TrainBatchSize = 8, TotalFlos = 1234, BestMetric = double.NegativeInfinity };
        state.History.Add(new OrderedDictionary<string, double> { ["loss"] = 0.6931, ["learning_rate"] = 5e-05, ["epoch"] = 0.5, ["step"] = 2 });
        TrainerStateJson.Write(state, _folder.Path);
        var text = File.ReadAllText(Path.Combine(_folder.Path, CheckpointFiles.TrainerState));
        Assert.Equal(
            """
            {
              "best_global_step": null,
              "best_metric": -Infinity,
              "best_model_checkpoint": null,
              "epoch": 0.5,
              "eval_steps": 500,
              "global_step": 2,
              "is_hyper_param_search": false,
              "is_local_process_zero": true,
              "is_world_process_zero": true,
              "log_history": [
                {
                  "epoch": 0.5,
                  "learning_rate": 5e-05,
                  "loss": 0.6931,
                  "step": 2
                }
              ],
              "logging_steps": 500,
              "max_steps": 4,
              "num_input_tokens_seen": 0,
              "num_train_epochs": 1,
              "save_steps": 500,
              "stateful_callbacks": {},
              "total_flos": 1234.0,
              "train_batch_size": 8,
              "trial_name": null,
              "trial_params": null
            }

            """, text);
        var again = TrainerStateJson.Read(_folder.Path);
        Assert.Equal((state.BestMetric, state.GlobalStep, 1), (again.BestMetric, again.GlobalStep, again.LogHistory.Count));
    }

    [Fact]
    public void JsonLog_ResumedRun_ReadsAsIfItHadNeverStopped()
    {
        var args = TinyRun.Arguments(Out) with { SaveStrategy = SaveStrategy.Epoch, LoggingSteps = 1 };
        Logged(args, resume: null);
        var whole = Lines();
        Logged(args, resume: CheckpointFiles.Folder(Out, 3));
        var resumed = Lines();
        Assert.Equal(whole, resumed.Where((line, i) => !(line.StartsWith("train_begin 3", StringComparison.Ordinal))));
        Assert.Contains(whole, line => line.StartsWith("log 1 ", StringComparison.Ordinal));

        void Logged(TrainingArguments arguments, string? resume)
        {
            using var model = TinyRun.Model();
            new Trainer(model, arguments, TinyRun.Data(11), TinyRun.Data(9), callbacks: Reporters.Of(arguments with { ReportTo = ["json"] })).Train(resume, Stop);
        }

        List<string> Lines() => [.. File.ReadLines(Path.Combine(Out, JsonLog.FileName)).Select(line => JsonNode.Parse(line)!)
            .Select(line => $"{line["event"]} {line["step"]} {line["loss"]?.ToJsonString()} {line["eval_loss"]?.ToJsonString()}")];
    }

    [Fact]
    public void JsonLog_InterruptedRun_HasEachLineOnce()
    {
        var args = TinyRun.Arguments(Out) with { SaveStrategy = SaveStrategy.Steps, SaveSteps = 3, LoggingStrategy = IntervalStrategy.Epoch };
        Logged(new());
        var whole = Events();
        Directory.Delete(Out, recursive: true);
        using var stop = new CancellationTokenSource();
        Logged(stop, stop);                                                // at the end of the first epoch, after its checkpoint
        Logged(new());
        Assert.Equal(whole, Events().Where(line => line != "train_begin 3"));

        void Logged(CancellationTokenSource source, CancellationTokenSource? cancelled = null)
        {
            using var model = TinyRun.Model();
            TrainerCallback[] callbacks = [.. Reporters.Of(args with { ReportTo = ["json"] }), .. cancelled is null ? Array.Empty<TrainerCallback>() : [new StopAtEvaluation(cancelled)]];
            new Trainer(model, args, TinyRun.Data(11), TinyRun.Data(9), callbacks: callbacks)
                .Train(CheckpointFiles.Newest(Out) is null ? null : "true", source.Token);
        }

        List<string> Events() => [.. File.ReadLines(Path.Combine(Out, JsonLog.FileName)).Select(line => JsonNode.Parse(line)!)
            .Select(line => $"{line["event"]} {line["step"]}")];
    }

    private sealed class StopAtEvaluation(CancellationTokenSource source) : TrainerCallback
    {
        public override void OnPredictionStep(TrainingArguments args, TrainerState state, TrainerControl control, int batch, int batches) => source.Cancel();
    }

    [Fact]
    public void Reporters_UnknownName_IsRefused() => Assert.Contains("mlflow, all or none",
        Assert.Throws<AttuneException>(() => Reporters.Of(new TrainingArguments { ReportTo = ["wandb"] })).Message, StringComparison.Ordinal);

    private static (TrainOutput Output, float[] Weights) Train(TrainingArguments args, int rows = 11)
    {
        using var model = TinyRun.Model();
        var output = new Trainer(model, args, TinyRun.Data(rows), TinyRun.Data(9, seed: 1)).Train(cancellation: Stop);
        return (output, TinyRun.Weights(model));
    }
}
