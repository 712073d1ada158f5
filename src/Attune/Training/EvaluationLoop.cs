using System.Diagnostics;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Distributed;
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

    /// <summary>Among whom the batches are shared out.</summary>
    internal Communicator Processes { get; set; } = Communicator.Single;

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
        var starts = EvaluationBatches.Starts(args, data);
        var (batches, turns) = (starts.Length - 1, EvaluationBatches.InTurn(Processes));
        var results = new (double Loss, double Weight)[batches];
        for (var next = 0; next < batches; next += Processes.Size)
        {
            Processes.ThrowIfStopped(cancellation);
            for (var batch = next; batch < Math.Min(next + Processes.Size, batches); batch++)
                if (turns.IsMine(batch)) results[batch] = Predict(data, EvaluationBatches.Rows(starts, batch), logits.AsSpan(starts[batch] * columns));
            callbacks.PredictionStep(state, Math.Min(next + Processes.Size, batches), batches);
        }
        turns.Collect(logits, Array.ConvertAll(starts, row => row * columns));
        turns.Collect(results, [.. Enumerable.Range(0, batches + 1)]);
        var (lossSum, weightSum) = (0.0, 0.0);
        var losses = args.IncludeForMetrics.Contains(Measuring.Loss) ? new float[data.Count] : null;
        foreach (var (batch, (loss, weight)) in results.Index())
        {
            if (weight > 0) lossSum += loss * weight;
            weightSum += weight;
            losses?.AsSpan(starts[batch]..starts[batch + 1]).Fill((float)loss);
        }
        var metrics = new OrderedDictionary<string, double>();
        var labels = data.TextLabels;
        if (data.TextStarts is { } windows)
        {
            logits = PooledWindows.Logits(logits, columns, windows, Pooling, TaskOf(labels));
            if (losses is not null) losses = MeanOfTexts(losses, windows);
        }
        var prediction = labels is null ? null : Prediction(logits, labels) with { Losses = losses, Inputs = InputsFor(data) };
        // The loss is that of the rows, as in training; the metrics are of the texts.
        if (prediction is not null) AddMetrics(metrics, prefix, lossSum / weightSum, prediction);
        SpeedMetrics.Add(metrics, prefix, Processes.OfFirst(watch.Elapsed.TotalSeconds), data.Texts, batches);
        return new PredictionOutput(logits, columns, labels, metrics) { Prediction = prediction };
    }

    /// <exception cref="AttuneException">The batch size is impossible.</exception>
    internal static void RequireBatchSize(TrainingArguments args)
    {
        if (args.PerDeviceEvalBatchSize < 1)
            throw new AttuneException($"per_device_eval_batch_size is {args.PerDeviceEvalBatchSize}; it must be at least 1.");
    }

    /// <summary>Writes the logits of some rows; returns the mean of their losses, 0 where there are no labels, and with which weight it counts.</summary>
    private (double Loss, double Weight) Predict(TokenizedDataset data, int[] rows, Span<float> logits)
    {
        using var mode = EvaluationMode.Begin(model, args);
        var batch = Pack(data, rows);
        using var output = model.Logits(batch, new PassOptions { Frozen = Frozen?.Of(data, rows, batch) });
        output.Logits.CopyTo(logits);
        return batch.Labels is null ? default : (objective.Evaluate(output.Logits, batch.Labels), objective.EvaluationWeight(batch.Labels));
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
        Numbers(labels),
        TaskOf(labels));

    /// <summary>Labels as <see cref="EvalPrediction.Labels"/> has them.</summary>
    internal static float[] Numbers(Labels labels) => labels switch
    {
        ClassLabels one => Array.ConvertAll(one.Values, value => (float)value),
        MultiLabels several => several.Values,
        RegressionTargets numbers => numbers.Values,
        _ => throw new InvalidOperationException(labels.GetType().Name),
    };

    private TaskKind TaskOf(Labels? labels) => (labels is null ? model.Config.ProblemType : model.Config.ProblemTypeFor(labels)) switch
    {
        ProblemType.MultiLabelClassification => TaskKind.MultiLabel,
        ProblemType.Regression => TaskKind.Regression,
        null when model.Config.NumLabels == 1 => TaskKind.Regression,
        _ => TaskKind.SingleLabel,
    };
}
