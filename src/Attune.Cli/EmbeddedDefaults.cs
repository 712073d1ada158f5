using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary>
/// Defaults for the embedded encoder, which is small: it wants a larger rate than transformers' default, which is meant for models twenty times as large.
/// </summary>
internal static class EmbeddedDefaults
{
    /// <summary>Fills in what was not given.</summary>
    /// <returns>One line that names the values used; null where everything was given.</returns>
    internal static string? Apply(ArgumentValues values)
    {
        (string Name, object? Value)[] defaults =
        [
            .. values.Has("max_steps") ? [] : new (string, object?)[] { ("num_train_epochs", 5.0) },
            ("learning_rate", 3e-4), ("per_device_train_batch_size", 16), ("per_device_eval_batch_size", 64),
            .. values.Has("warmup_steps") ? [] : new (string, object?)[] { ("warmup_ratio", 0.1) },
            ("weight_decay", 0.01),
            ("logging_strategy", IntervalStrategy.Epoch), ("save_total_limit", 1),
            // What is best can only be kept if nothing else was asked for.
            .. values.Has("eval_strategy") || values.Has("save_strategy") ? []
                : new (string, object?)[]
                {
                    ("eval_strategy", IntervalStrategy.Epoch), ("save_strategy", SaveStrategy.Epoch), ("load_best_model_at_end", true),
                },
        ];
        return values.FillIn(defaults, $"preset of {Names.EmbeddedEncoder}") is { } used ? $"Defaults that suit the embedded encoder: {used}." : null;
    }

    /// <summary>Where nothing else is said, the best model is that of the best first metric.</summary>
    internal static TrainingArguments WithMetric(TrainingArguments arguments, Metric first) =>
        arguments is { LoadBestModelAtEnd: true, MetricForBestModel: null, GreaterIsBetter: null, PredictionLossOnly: false }
            ? arguments with { MetricForBestModel = first.Name, GreaterIsBetter = first.HigherIsBetter } : arguments;
}
