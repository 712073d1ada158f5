using System.Diagnostics;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Metrics;
using Attune.Models;
using Attune.Optimization;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>Runs a model over a data set in its order, every row once, without dropout.</summary>
internal sealed class EvaluationLoop(
    SequenceClassificationModel model, TrainingArguments args, CallbackList callbacks, Objective objective,
    Func<EvalPrediction, IReadOnlyDictionary<string, double>>? computeMetrics)
{
    /// <summary>What a run keeps of the frozen part's output; null outside of runs.</summary>
    internal FrozenCache? Frozen { get; set; }

    /// <summary>How the windows of a long text become one answer.</summary>
    internal WindowPooling Pooling { get; set; }

    /// <summary>What a run evaluates in place of the weights that it trains; null outside of runs, and where it evaluates these.</summary>
    internal AveragedWeights? Averaged { get; set; }

    /// <summary>Logits of all texts, and the metrics with <paramref name="prefix"/> before their names.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled between two batches.</exception>
    internal PredictionOutput Run(TokenizedDataset data, string prefix, TrainerState state, CancellationToken cancellation)
    {
        using var time = Profiler.Measure("evaluation");
        using var shown = Averaged?.Show();
        var watch = Stopwatch.StartNew();
        var columns = model.Config.NumLabels;
        var logits = new float[data.Count * columns];
        var batches = (data.Count - 1) / args.PerDeviceEvalBatchSize + 1;
        var (lossSum, weightSum) = (0.0, 0.0);
        var losses = args.IncludeForMetrics.Contains(Measuring.Loss) ? new float[data.Count] : null;
        for (var batch = 0; batch < batches; batch++)
        {
            cancellation.ThrowIfCancellationRequested();
            var first = batch * args.PerDeviceEvalBatchSize;
            var rows = Enumerable.Range(first, Math.Min(args.PerDeviceEvalBatchSize, data.Count - first)).ToArray();
            var loss = Predict(data, rows, logits.AsSpan(first * columns), out var weight);
            if (weight > 0) lossSum += loss * weight;
            weightSum += weight;
            losses?.AsSpan(first, rows.Length).Fill((float)loss);
            callbacks.PredictionStep(state, batch + 1, batches);
        }
        var metrics = new OrderedDictionary<string, double>();
        var labels = data.TextLabels;
        if (data.TextStarts is { } starts)
        {
            logits = PooledWindows.Logits(logits, columns, starts, Pooling, TaskOf(labels));
            if (losses is not null) losses = MeanOfTexts(losses, starts);
        }
        var prediction = labels is null ? null : Prediction(logits, labels) with { Losses = losses, Inputs = InputsFor(data) };
        // The loss is that of the rows, as in training; the metrics are of the texts.
        if (prediction is not null) AddMetrics(metrics, prefix, lossSum / weightSum, prediction);
        SpeedMetrics.Add(metrics, prefix, watch.Elapsed.TotalSeconds, data.Texts, batches);
        return new PredictionOutput(logits, columns, labels, metrics) { Prediction = prediction };
    }

    /// <exception cref="AttuneException">The batch size is impossible.</exception>
    internal static void RequireBatchSize(TrainingArguments args)
    {
        if (args.PerDeviceEvalBatchSize < 1)
            throw new AttuneException($"per_device_eval_batch_size is {args.PerDeviceEvalBatchSize}; it must be at least 1.");
    }

    /// <summary>Writes the logits of some rows; returns the mean of their losses, 0 where there are no labels, and with which weight it counts.</summary>
    private double Predict(TokenizedDataset data, int[] rows, Span<float> logits, out double weight)
    {
        var (wasTraining, precision) = (model.Training, model.Precision);
        model.Training = false;
        model.Precision = args.EvaluationPrecision ?? precision;
        try
        {
            var batch = Pack(data, rows);
            using var output = model.Logits(batch, new PassOptions { Frozen = Frozen?.Of(data, rows, batch) });
            output.Logits.CopyTo(logits);
            weight = batch.Labels is null ? 0 : objective.EvaluationWeight(batch.Labels);
            return batch.Labels is null ? 0 : objective.Evaluate(output.Logits, batch.Labels);
        }
        finally
        {
            (model.Training, model.Precision) = (wasTraining, precision);
        }
    }

    private static Batch Pack(TokenizedDataset data, int[] rows)
    {
        using var time = Profiler.Measure("data");
        return data.Batch(rows);
    }

    private void AddMetrics(OrderedDictionary<string, double> metrics, string prefix, double loss, EvalPrediction prediction)
    {
        using var time = Profiler.Measure("metrics");
        metrics[prefix + "_loss"] = loss;
        if (args.PredictionLossOnly) return;
        foreach (var (name, value) in computeMetrics?.Invoke(prediction) ?? new Dictionary<string, double>())
            metrics[name.StartsWith(prefix + "_", StringComparison.Ordinal) ? name : $"{prefix}_{name}"] = value;
    }

    /// <summary>The token ids of each text: of a long one those of its first window.</summary>
    private IReadOnlyList<int[]>? InputsFor(TokenizedDataset data) => !args.IncludeForMetrics.Contains(Measuring.Inputs) ? null
        : data.TextStarts is { } starts ? [.. starts.SkipLast(1).Select(first => data.Rows[first].InputIds.ToArray())]
        : [.. data.Rows.Select(row => row.InputIds.ToArray())];

    /// <summary>The loss of a text: the mean of its windows'.</summary>
    private static float[] MeanOfTexts(float[] losses, int[] starts) =>
        [.. starts.Zip(starts.Skip(1), (first, next) => losses.AsSpan(first..next).ToArray().Average())];

    private EvalPrediction Prediction(float[] logits, Labels labels) => new(
        logits,
        labels.Rows,
        model.Config.NumLabels,
        labels switch
        {
            ClassLabels one => Array.ConvertAll(one.Values, value => (float)value),
            MultiLabels several => several.Values,
            RegressionTargets numbers => numbers.Values,
            _ => throw new InvalidOperationException(labels.GetType().Name),
        },
        TaskOf(labels));

    private TaskKind TaskOf(Labels? labels) => (labels is null ? model.Config.ProblemType : model.Config.ProblemTypeFor(labels)) switch
    {
        ProblemType.MultiLabelClassification => TaskKind.MultiLabel,
        ProblemType.Regression => TaskKind.Regression,
        null when model.Config.NumLabels == 1 => TaskKind.Regression,
        _ => TaskKind.SingleLabel,
    };
}
