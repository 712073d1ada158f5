using Attune.Optimization;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The defaults that a preset fills in.</summary>
internal static class Presets
{
    private const int RowsPerUpdate = 128, RowsPerBatch = 32;

    /// <summary>Fills in what was not given.</summary>
    /// <returns>One line that names the values used.</returns>
    internal static string Apply(Preset preset, ArgumentValues values)
    {
        var word = Argument.Spell(preset.ToString());
        return $"The preset {word} has set {values.FillIn(preset == Preset.Hf ? TrainersOwn(values) : Best(values), $"preset {word}") ?? "nothing: all was given"}.";
    }

    /// <summary>Where Attune's own defaults differ from the Trainer's.</summary>
    private static IEnumerable<(string Name, object? Value)> TrainersOwn(ArgumentValues values) =>
    [
        ("logging_nan_inf_filter", true), ("restore_callback_states_from_checkpoint", false),
        // Else a run with a preset goes by the first metric of its data.
        .. values.Create<TrainingArguments>().LoadBestModelAtEnd ? new (string, object?)[] { ("metric_for_best_model", "loss") } : [],
    ];

    /// <summary>After AutoGluon's defaults for texts: layer-wise rates, a cosine, early stopping and a soup of the three best.</summary>
    private static IEnumerable<(string Name, object? Value)> Best(ArgumentValues values)
    {
        var training = values.Create<TrainingArguments>();
        var epochs = values.Has("num_train_epochs") ? training.NumTrainEpochs : 20;
        // 128 rows an update, whichever of its two factors was given.
        var batch = values.Has("per_device_train_batch_size") ? training.PerDeviceTrainBatchSize
            : values.Has("gradient_accumulation_steps") ? Math.Max(1, RowsPerUpdate / Math.Max(1, training.GradientAccumulationSteps)) : RowsPerBatch;
        // Two evaluations an epoch; how long an epoch of a given number of updates is nobody knows yet.
        var interval = values.Has("eval_steps") ? training.EvalSteps ?? training.LoggingSteps : values.Has("max_steps") || epochs <= 0 ? 0.05 : Math.Min(1, 1 / (2 * epochs));
        var evaluates = values.Has("eval_strategy") ? training.EvalStrategy : IntervalStrategy.Steps;
        // What is the best can only be kept if it is evaluated, and nothing else was asked for.
        var keeps = evaluates != IntervalStrategy.No && !values.Has("save_strategy");
        return
        [
            ("learning_rate", 1e-4), ("layer_lr_decay", 0.9), ("weight_decay", 0.001), ("lr_scheduler_type", SchedulerType.Cosine),
            .. values.Has("warmup_steps") ? [] : new (string, object?)[] { ("warmup_ratio", 0.1) },
            ("per_device_train_batch_size", batch), ("gradient_accumulation_steps", Math.Max(1, RowsPerUpdate / Math.Max(1, batch))),
            ("per_device_eval_batch_size", 64),
            .. values.Has("max_steps") ? [] : new (string, object?)[] { ("num_train_epochs", epochs) },
            .. !keeps ? []
                : new (string, object?)[]
                {
                    ("eval_strategy", evaluates), ("save_strategy", evaluates == IntervalStrategy.Steps ? SaveStrategy.Steps : SaveStrategy.Epoch),
                    ("save_total_limit", 1), ("load_best_model_at_end", true), ("early_stopping_patience", 10), ("soup", 3),
                },
            .. keeps && evaluates == IntervalStrategy.Steps ? new (string, object?)[] { ("eval_steps", interval), ("save_steps", interval) } : [],
        ];
    }
}
