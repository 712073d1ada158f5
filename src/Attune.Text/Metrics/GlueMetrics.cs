namespace Attune.Metrics;

/// <summary>Which metrics each task of GLUE is measured by, with the keys that transformers' example scripts report.</summary>
public static class GlueMetrics
{
    /// <summary>The key of the mean, reported where a task has more than one metric.</summary>
    public const string CombinedScore = "combined_score";

    /// <summary>The names of a task's metrics.</summary>
    /// <param name="task">For instance <c>sst2</c>; <c>SST-2</c> and <c>glue/sst2</c> are the same.</param>
    /// <exception cref="AttuneException">GLUE has no such task.</exception>
    public static IReadOnlyList<string> Names(string task) => GlueTasks.Find(task)?.Metrics ?? throw new AttuneException(
        $"GLUE has no task \"{task}\".{Spelling.DidYouMean(task.ToLowerInvariant(), Tasks)} Its tasks are {string.Join(", ", Tasks)}.");

    private static IEnumerable<string> Tasks => GlueTasks.All.Select(task => task.Name);

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
