namespace Attune.Cli.Pretraining;

/// <summary>Defaults of pretraining where those of the Trainer, which are meant for fine-tuning, would be of no use.</summary>
internal static class PretrainDefaults
{
    /// <summary>Fills in what was not given.</summary>
    /// <param name="values">Of the command.</param>
    /// <returns>One line that names the values used; null where everything was given.</returns>
    internal static string? Apply(ArgumentValues values)
    {
        var isNew = values.Create<PretrainArguments>().Model is null;
        (string Name, object? Value)[] defaults =
        [
            .. values.Has("max_steps") ? [] : new (string, object?)[] { ("num_train_epochs", 1.0) },
            ("learning_rate", isNew ? 1e-3 : 1e-4), ("per_device_train_batch_size", 32), ("per_device_eval_batch_size", 32),
            .. values.Has("warmup_steps") ? [] : new (string, object?)[] { ("warmup_ratio", isNew ? 0.1 : 0.06) },
            ("weight_decay", 0.01), ("adam_beta2", 0.98), ("adam_epsilon", 1e-6),
            ("logging_steps", 0.01), ("save_steps", 0.05), ("save_total_limit", 2),
            ("output_dir", "pretrain_output"),
        ];
        return values.FillIn(defaults, "default of pretrain") is { } used ? $"Defaults of pretraining: {used}." : null;
    }
}
