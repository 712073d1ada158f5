using System.Text.Json.Nodes;
using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>Ends training when <c>metric_for_best_model</c> has stopped improving.</summary>
/// <param name="earlyStoppingPatience">Evaluations in a row without improvement after which it stops. Default 1.</param>
/// <param name="earlyStoppingThreshold">By how much an evaluation must exceed the best one so far to count as an improvement. Default 0.</param>
public sealed class EarlyStoppingCallback(int earlyStoppingPatience = 1, double earlyStoppingThreshold = 0) : TrainerCallback
{
    private const string Attributes = "attributes", CounterName = "early_stopping_patience_counter";

    /// <summary>Evaluations in a row without improvement so far.</summary>
    public int Counter { get; private set; }

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args.MetricForBestModel is null)
            throw new AttuneException("Early stopping needs a metric to watch; set --metric-for-best-model, for example to loss.");
        if (args.EvalStrategy == IntervalStrategy.No)
            throw new AttuneException("Early stopping needs evaluations; set --eval-strategy epoch or steps.");
    }

    /// <inheritdoc/>
    public override void OnEvaluate(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(control);
        ArgumentNullException.ThrowIfNull(metrics);
        // A missing metric is reported by the Trainer itself, which looks for the best evaluation next.
        if (!metrics.TryGetValue(BestModel.MetricKey(args), out var value)) return;
        Counter = Improves(args, state, value) ? 0 : Counter + 1;
        if (Counter >= earlyStoppingPatience) control.ShouldTrainingStop = true;
    }

    /// <inheritdoc/>
    protected internal override JsonObject ExportState() => new()
    {
        ["args"] = new JsonObject
        {
            ["early_stopping_patience"] = earlyStoppingPatience,
            ["early_stopping_threshold"] = earlyStoppingThreshold,
        },
        [Attributes] = new JsonObject { [CounterName] = Counter },
    };

    /// <inheritdoc/>
    protected internal override void RestoreState(JsonObject saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        Counter = saved[Attributes]?[CounterName]?.GetValue<int>() ?? Counter;
    }

    private bool Improves(TrainingArguments args, TrainerState state, double value) =>
        state.BestMetric is not { } best
        || BestModel.IsBetter(args, value, best) && Math.Abs(value - best) > earlyStoppingThreshold;
}
