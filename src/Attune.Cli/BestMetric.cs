using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Which way the metric of the best model is better, where only its name is given.</summary>
internal static class BestMetric
{
    private const string Prefix = "eval_";

    /// <summary>The name of the metric among the results of an evaluation.</summary>
    internal static string Key(string name) => Prefix + Bare(name);

    /// <summary>Whether a higher value is better: as the arguments say, else as the metric is; of what is none, transformers' rule.</summary>
    /// <param name="arguments">As given, which name a metric.</param>
    internal static bool HigherIsBetter(TrainingArguments arguments) => arguments.GreaterIsBetter
        ?? MetricTable.HigherIsBetter(Bare(arguments.MetricForBestModel!)) ?? !arguments.MetricForBestModel!.EndsWith("loss", StringComparison.Ordinal);

    /// <summary>transformers takes every metric whose name does not end in loss for one where more is better, and so would keep the worst model by mse.</summary>
    /// <param name="arguments">As given.</param>
    /// <param name="tell">Is told where that is not followed.</param>
    internal static TrainingArguments WithDirection(TrainingArguments arguments, Action<string> tell)
    {
        if (arguments is not { MetricForBestModel: { } name, GreaterIsBetter: null } || HigherIsBetter(arguments) || name.EndsWith("loss", StringComparison.Ordinal)) return arguments;
        tell($"greater_is_better is false, because less {Bare(name)} is better; transformers takes it for true.");
        return arguments with { GreaterIsBetter = false };
    }

    /// <summary>The name without eval_.</summary>
    internal static string Bare(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
}
