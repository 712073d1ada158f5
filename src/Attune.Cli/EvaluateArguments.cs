namespace Attune.Cli;

/// <summary>What to evaluate.</summary>
public sealed record EvaluateArguments
{
    /// <summary>The split, or a part of one such as test[:100] or validation[50%:]+test, as in datasets.</summary>
    /// <value>Default validation where there is one; else the only split. The test split is taken only if it is named.</value>
    public string? Split { get; init; }

    /// <summary>Rows computed at once.</summary>
    /// <value>At least 1. Default 32.</value>
    [Training.ArgumentAlias("per_device_eval_batch_size")]
    public int BatchSize { get; init; } = 32;

    /// <summary>Most tokens computed at once, in place of a number of rows, so that long and short rows fill the memory alike; results do not depend on it.</summary>
    /// <value>At least 1. Default null: batches of batch_size rows. A longer row is a batch by itself.</value>
    [Training.ArgumentAlias("max_tokens_per_eval_batch")]
    public int? MaxTokensPerBatch { get; init; }

    /// <summary>Writes the thresholds that --threshold auto has chosen on these rows into the model's folder (attune_prediction.json), for predict to follow.</summary>
    /// <value>Default false. Needs threshold auto or auto_micro, or a number.</value>
    public bool SaveThresholds { get; init; }

    /// <summary>Computes the products of the encoder's layers in bfloat16.</summary>
    /// <value>Default false. Needs a processor with AVX512_BF16 or AMX, or a graphics card.</value>
    [Training.ArgumentAlias("bf16_full_eval")]
    public bool Bf16 { get; init; }

    /// <summary>Computes the products of the encoder's layers in float16, which a processor imitates and is slower with.</summary>
    /// <value>Default false. Not together with <see cref="Bf16"/>.</value>
    [Training.ArgumentAlias("fp16_full_eval")]
    public bool Fp16 { get; init; }

    /// <summary>
    /// Writes SPLIT_results.json (eval_results.json for a part of a split) and eval_predictions.jsonl into this folder. The folder of the run itself takes its own evaluation rows
    /// as eval_results.json and its test split as test_results.json and test_predictions.jsonl, which attune report shows as such, and nothing else.
    /// </summary>
    /// <value>Default: nothing is written.</value>
    public string? OutputDir { get; init; }
}
