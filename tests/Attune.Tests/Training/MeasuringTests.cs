using Attune.Batching;
using Attune.Checkpoints;
using Attune.Metrics;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

[Collection("torch")]
public sealed class MeasuringTests : IDisposable
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

    [Fact]
    public void IncludeForMetrics_InputsAndLoss_AreHandedOverRowByRow()
    {
        var data = TinyRun.Data(7);
        EvalPrediction? seen = null;
        Trainer(TinyRun.Arguments(_folder.Path) with { IncludeForMetrics = ["inputs", "loss"] }, data, scores => { seen = scores; return new Dictionary<string, double>(); }).Evaluate(cancellation: Stop);
        Assert.Equal(data.Rows.Select(row => row.InputIds.ToArray()), seen!.Inputs);
        // Batches of 4 and of 3 rows: the mean of each is given to its rows, and weighted by them is the loss of all.
        Assert.Equal(2, seen.Losses!.Distinct().Count());
        Assert.Equal(7, seen.Losses!.Length);
        Assert.Equal(seen.Losses![0], seen.Losses[3]);
        var labelled = (seen with { Labels = [0, 1, -100, 0, 1, 2, -100] }).Labelled();
        Assert.Equal((5, 5, 5), (labelled.Rows, labelled.Inputs!.Count, labelled.Losses!.Length));
    }

    /// <summary>Windows of the texts 0 0 0 1 2 2 2 in batches of 4: what is handed over is of texts, as the logits are.</summary>
    [Fact]
    public void IncludeForMetrics_Windows_AreHandedOverTextByText()
    {
        var rows = TinyRun.Data(7);
        EvalPrediction? windows = null, texts = null;
        var args = TinyRun.Arguments(_folder.Path) with { IncludeForMetrics = ["inputs", "loss"] };
        Trainer(args, rows, scores => { windows = scores; return new Dictionary<string, double>(); }).Evaluate(cancellation: Stop);
        Trainer(args, new TokenizedDataset(rows.Rows, rows.Labels, [0, 3, 4, 7]), scores => { texts = scores; return new Dictionary<string, double>(); }).Evaluate(cancellation: Stop);
        Assert.Equal(rows.Rows.Where((_, i) => i is 0 or 3 or 4).Select(row => row.InputIds.ToArray()), texts!.Inputs);
        Assert.Equal([windows!.Losses![0], windows.Losses[0], windows.Losses[4]], texts.Losses!, (x, y) => Math.Abs(x - y) < 1e-6f);
        Assert.Equal(3, texts.Labelled().Losses!.Length);
    }

    [Fact]
    public void IncludeForMetrics_NotGiven_HandsNothingOver()
    {
        EvalPrediction? seen = null;
        Trainer(TinyRun.Arguments(_folder.Path), TinyRun.Data(7), scores => { seen = scores; return new Dictionary<string, double>(); }).Evaluate(cancellation: Stop);
        Assert.Equal((null, null), (seen!.Inputs, seen.Losses));
    }

    [Theory]
    [InlineData("all", 1)]
    [InlineData("true", 1)]
    [InlineData("non_padding", 0)]
    [InlineData("no", -1)]
    public void TokensSeen_OfARun_AreThoseOfItsBatches(string counted, int kind)
    {
        var data = TinyRun.Data(11);
        var recorder = new RunRecorder(_model);
        var trainer = new Trainer(_model, TinyRun.Arguments(_folder.Path) with { IncludeNumInputTokensSeen = counted, LoggingSteps = 1 }, data, TinyRun.Data(5), callbacks: [recorder]);
        trainer.Train(cancellation: Stop);
        long padded = recorder.Steps.Sum(step => step.Rows.Sum(rows => rows.Max(row => data.Rows[row].Length) * (long)rows.Count)), real = recorder.Steps.Sum(step => step.Tokens);
        Assert.NotEqual(padded, real);
        Assert.Equal(kind switch { 1 => padded, 0 => real, _ => 0 }, trainer.State.NumInputTokensSeen);
        var last = trainer.State.LogHistory.Last(entry => entry.ContainsKey("loss"));
        Assert.Equal(kind >= 0, last.ContainsKey("num_input_tokens_seen"));
        Assert.Equal(kind >= 0, last.ContainsKey("train_runtime"));
        Assert.Equal(kind >= 0, trainer.State.LogHistory.Last(entry => entry.ContainsKey("eval_loss")).ContainsKey("num_input_tokens_seen"));
        if (kind >= 0) Assert.Contains($"\"num_input_tokens_seen\": {trainer.State.NumInputTokensSeen},", File.ReadAllText(Path.Combine(CheckpointFiles.Newest(_folder.Path)!, CheckpointFiles.TrainerState)), StringComparison.Ordinal);
    }

    [Fact]
    public void TokensSeen_ResumedRun_GoOn()
    {
        var args = TinyRun.Arguments(_folder.Path) with { IncludeNumInputTokensSeen = "all", IncludeTokensPerSecond = true, SaveSteps = 2 };
        var whole = Trainer(args, TinyRun.Data(5));
        var output = whole.Train(cancellation: Stop);
        Assert.True(output.Metrics["train_tokens_per_second"] > 0);
        using var model = TinyRun.Model();
        var resumed = new Trainer(model, args, TinyRun.Data(11), TinyRun.Data(5));
        resumed.Train(CheckpointFiles.Folder(_folder.Path, 2), Stop);
        Assert.Equal(whole.State.NumInputTokensSeen, resumed.State.NumInputTokensSeen);
    }

    [Fact]
    public void Debug_OutputOfALayerOverflows_IsNamedWithTheStateBeforeKept()
    {
        var args = TinyRun.Arguments(_folder.Path) with { Debug = ["underflow_overflow"] };
        var weights = _model.Weights.All.Single(weight => weight.Name == "bert.encoder.layer.1.intermediate.dense.weight").Span;
        for (var i = 0; i < weights.Length; i++) weights[i] = i % 2 == 0 ? 3e38f : -3e38f;
        var error = Assert.Throws<AttuneException>(() => Trainer(args, TinyRun.Data(5)).Train(cancellation: Stop));
        Assert.Matches(@"^The (loss|gradient) of update 1 is not a finite number [^\n]+: it begins in the output of encoder\.layer\.1; debug underflow_overflow stops training here\.", error.Message);
        Assert.Contains(_notices, line => line.StartsWith("  embeddings: largest value ", StringComparison.Ordinal));
        Assert.Contains(_notices, line => line.StartsWith("  encoder.layer.0: largest value ", StringComparison.Ordinal));
    }

    /// <summary>The loss is 0 and its gradient infinite: cut to the largest allowed it would pass for one that is sound.</summary>
    [Theory]
    [InlineData(1e-3, 1.0, false)]
    [InlineData(1e-3, 0.0, false)]
    [InlineData(null, 0.0, true)]
    public void Train_GradientNotANumberUnderOtherClipping_IsStillSeen(double? value, double? norm, bool debug)
    {
        var args = TinyRun.Arguments(_folder.Path) with { ClipGradValue = value, MaxGradNorm = norm, Debug = debug ? ["underflow_overflow"] : [], EvalStrategy = IntervalStrategy.No };
        var trainer = new Trainer(_model, args, TinyRun.Data(11), notice: _notices.Add, computeLoss: (logits, _) => (logits - logits.detach()).sqrt().sum());
        _notices.Add(Assert.Throws<AttuneException>(() => trainer.Train(cancellation: Stop)).Message);
        Assert.Contains(_notices, line => line.StartsWith("The gradient of update 1 is not a finite number", StringComparison.Ordinal));
    }

    /// <summary>What is found is the same where the batch goes through the model in parts.</summary>
    [Fact]
    public void OverflowSearch_InParts_FindsTheSameValues()
    {
        var data = TinyRun.Data(9);
        _model.Weights.ClearGradients();
        var rows = Enumerable.Range(0, 9).ToArray();
        Assert.Equal(OverflowSearch.Of(_model, data, rows, MicroBatches.Whole), OverflowSearch.Of(_model, data, rows, MicroBatches.AtMost(2)),
            (x, y) => x.Found == y.Found && x.Lines.SequenceEqual(y.Lines));
    }

    [Fact]
    public void Debug_LabelsAreNotNumbers_SaysThatTheModelIsNotToBlame()
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { LabelNames = ["value"] }, seed: 1);
        var data = new TokenizedDataset(TinyRun.Data(4).Rows, new RegressionTargets([0, 1, float.NaN, 1]));
        var trainer = new Trainer(model, TinyRun.Arguments(_folder.Path) with { EvalStrategy = IntervalStrategy.No, Debug = ["underflow_overflow"] }, data);
        Assert.Contains("it begins in the classifier or in the labels", Assert.Throws<AttuneException>(() => trainer.Train(cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validated_UnknownWords_AreOneSentence()
    {
        TrainingArguments[] wrong =
        [
            new() { Debug = ["tpu_metrics_debug"] },
            new() { IncludeForMetrics = ["labels"] },
            new() { IncludeNumInputTokensSeen = "padding" },
            new() { PredictionLossOnly = true, EvalStrategy = IntervalStrategy.Epoch, LoadBestModelAtEnd = true, MetricForBestModel = "accuracy" },
        ];
        Assert.All(wrong, args => Assert.Matches(@"^[^\n]+\.$", Assert.Throws<AttuneException>(() => args.Validated()).Message));
        new TrainingArguments { PredictionLossOnly = true, MetricForBestModel = "eval_loss" }.Validated();
    }

    private Trainer Trainer(TrainingArguments args, TokenizedDataset eval, Func<EvalPrediction, IReadOnlyDictionary<string, double>>? metrics = null) =>
        new(_model, args, TinyRun.Data(11), eval, metrics, notice: _notices.Add);
}
