using System.Diagnostics;
using System.Runtime.InteropServices;
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
        var batches = (data.Count - 1) / args.PerDeviceEvalBatchSize + 1;
        var results = new (double Loss, double Weight)[batches];
        for (var next = 0; next < batches; next += Processes.Size)
        {
            ThrowIfStopped(cancellation);
            var batch = next + Processes.Rank;
            if (batch < batches)
            {
                var loss = Predict(data, RowsOf(batch, data.Count), logits.AsSpan(batch * args.PerDeviceEvalBatchSize * columns), out var weight);
                results[batch] = (loss, weight);
            }
            callbacks.PredictionStep(state, Math.Min(next + Processes.Size, batches), batches);
        }
        if (Processes.Size > 1) Gather(logits, columns, results);
        var (lossSum, weightSum) = (0.0, 0.0);
        var losses = args.IncludeForMetrics.Contains(Measuring.Loss) ? new float[data.Count] : null;
        foreach (var (batch, (loss, weight)) in results.Index())
        {
            if (weight > 0) lossSum += loss * weight;
            weightSum += weight;
            if (losses is not null) foreach (var row in RowsOf(batch, data.Count)) losses[row] = (float)loss;
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
        SpeedMetrics.Add(metrics, prefix, Shared(watch.Elapsed.TotalSeconds), data.Texts, batches);
        return new PredictionOutput(logits, columns, labels, metrics) { Prediction = prediction };
    }

    private int[] RowsOf(int batch, int count)
    {
        var first = batch * args.PerDeviceEvalBatchSize;
        return [.. Enumerable.Range(first, Math.Min(args.PerDeviceEvalBatchSize, count - first))];
    }

    /// <summary>Throws on all processes where one was told to stop.</summary>
    private void ThrowIfStopped(CancellationToken cancellation)
    {
        if (Processes.Size == 1) cancellation.ThrowIfCancellationRequested();
        else if (Processes.GatherAll([cancellation.IsCancellationRequested ? (byte)1 : (byte)0]).Any(asked => asked[0] == 1)) throw new OperationCanceledException(cancellation);
    }

    /// <summary>What the others have computed, in its place: batch after batch is each one's in turn.</summary>
    private void Gather(float[] logits, int columns, (double Loss, double Weight)[] results)
    {
        var size = args.PerDeviceEvalBatchSize * columns;
        var own = Enumerable.Range(0, results.Length).Where(batch => batch % Processes.Size == Processes.Rank).ToList();
        var of = Processes.GatherAll(MemoryMarshal.AsBytes<float>(own.SelectMany(batch => logits[(batch * size)..Math.Min((batch + 1) * size, logits.Length)]).ToArray()));
        var sums = Processes.GatherAll(MemoryMarshal.AsBytes<double>(own.SelectMany(batch => new[] { results[batch].Loss, results[batch].Weight }).ToArray()));
        for (var batch = 0; batch < results.Length; batch++)
        {
            var (rank, turn) = (batch % Processes.Size, batch / Processes.Size);
            var theirs = MemoryMarshal.Cast<byte, float>(of[rank])[(turn * size)..];
            theirs[..Math.Min(size, theirs.Length)].CopyTo(logits.AsSpan(batch * size));
            var sum = MemoryMarshal.Cast<byte, double>(sums[rank])[(2 * turn)..];
            results[batch] = (sum[0], sum[1]);
        }
    }

    /// <summary>The first process's number: what is decided by it is decided by all alike.</summary>
    private double Shared(double seconds) => Processes.Size == 1 ? seconds : BitConverter.ToDouble(Processes.GatherAll(BitConverter.GetBytes(seconds))[0]);

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
