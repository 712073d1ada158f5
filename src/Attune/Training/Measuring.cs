namespace Attune.Training;

/// <summary>What the arguments on measuring mean, and which of them are impossible.</summary>
internal static class Measuring
{
    internal const string Inputs = "inputs", Loss = "loss", UnderflowOverflow = "underflow_overflow";

    private const string LossMetric = "loss", PrefixedLossMetric = "eval_loss";

    /// <exception cref="AttuneException">A word is unknown, or a metric is asked for that is not computed.</exception>
    internal static void Check(TrainingArguments args)
    {
        _ = TokensSeen(args);
        foreach (var word in args.IncludeForMetrics)
            if (word is not (Inputs or Loss)) throw new AttuneException($"include_for_metrics is {word}; it must be {Inputs}, {Loss} or both.");
        foreach (var word in args.Debug)
            if (word != UnderflowOverflow) throw new AttuneException($"debug is {word}; it must be {UnderflowOverflow}, or be left out.");
        if (args is { PredictionLossOnly: true, MetricForBestModel: not (null or LossMetric or PrefixedLossMetric) })
            throw new AttuneException($"prediction_loss_only leaves eval_loss alone, but metric_for_best_model is {args.MetricForBestModel}; leave one of them out.");
    }

    /// <summary>Which tokens <c>num_input_tokens_seen</c> counts.</summary>
    /// <exception cref="AttuneException">The word is unknown.</exception>
    internal static CountedTokens TokensSeen(TrainingArguments args) => args.IncludeNumInputTokensSeen.ToLowerInvariant() switch
    {
        "no" or "false" => CountedTokens.None,
        "all" or "true" => CountedTokens.All,
        "non_padding" => CountedTokens.NonPadding,
        _ => throw new AttuneException($"include_num_input_tokens_seen is {args.IncludeNumInputTokensSeen}; it must be no, all or non_padding."),
    };
}

/// <summary>Which tokens of a batch are counted.</summary>
internal enum CountedTokens
{
    None,

    /// <summary>With the padding that would bring each row to the length of the longest.</summary>
    All,

    /// <summary>The tokens of the rows.</summary>
    NonPadding,
}
