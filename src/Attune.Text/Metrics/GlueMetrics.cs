namespace Attune.Metrics;

/// <summary>Which metrics each task of GLUE is measured by, with the keys that transformers' example scripts report.</summary>
public static class GlueMetrics
{
    /// <summary>The key of the mean, reported where a task has more than one metric.</summary>
    public const string CombinedScore = "combined_score";

    private static readonly Dictionary<string, string[]> ByTask = new()
    {
        ["cola"] = ["matthews_correlation"],
        ["sst2"] = ["accuracy"],
        ["mrpc"] = ["accuracy", "f1"],
        ["qqp"] = ["accuracy", "f1"],
        ["stsb"] = ["pearson", "spearmanr"],
        ["mnli"] = ["accuracy"],
        ["mnli_matched"] = ["accuracy"],
        ["mnli_mismatched"] = ["accuracy"],
        ["ax"] = ["accuracy"],
        ["qnli"] = ["accuracy"],
        ["rte"] = ["accuracy"],
        ["wnli"] = ["accuracy"],
    };

    /// <summary>Whether GLUE has a task of this name, written as for <see cref="Names"/>.</summary>
    public static bool Contains(string task) => Find(task) is not null;

    /// <summary>The names of a task's metrics.</summary>
    /// <param name="task">For instance <c>sst2</c>; <c>SST-2</c> and <c>glue/sst2</c> are the same.</param>
    /// <exception cref="AttuneException">GLUE has no such task.</exception>
    public static IReadOnlyList<string> Names(string task) => Find(task) ?? throw new AttuneException(
        $"GLUE has no task \"{task}\".{Spelling.DidYouMean(task.ToLowerInvariant(), ByTask.Keys)} Its tasks are {string.Join(", ", ByTask.Keys)}.");

    private static string[]? Find(string task)
    {
        ArgumentNullException.ThrowIfNull(task);
        var name = Bare(task.ToLowerInvariant());
        if (name.StartsWith("glue/", StringComparison.Ordinal)) name = name["glue/".Length..];
        return ByTask.FirstOrDefault(known => Bare(known.Key) == name).Value;

        static string Bare(string text) => text.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
    }

    /// <summary>A function that computes a task's metrics, and their mean where there are several.</summary>
    /// <inheritdoc cref="Names"/>
    public static Func<EvalPrediction, IReadOnlyDictionary<string, double>> ComputeMetrics(string task)
    {
        var names = Names(task);
        return prediction =>
        {
            var values = new Dictionary<string, double>(
                MetricTable.ComputeMetrics([.. names], prediction.Task, prediction.Columns)(prediction));
            if (values.Count > 1) values[CombinedScore] = values.Values.Average();
            return values;
        };
    }
}
