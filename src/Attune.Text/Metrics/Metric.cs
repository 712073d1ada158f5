namespace Attune.Metrics;

/// <summary>A named score of an evaluation.</summary>
/// <param name="Name">The key of its value in results, without <c>eval_</c>.</param>
/// <param name="Task">What the labels must be.</param>
/// <param name="HigherIsBetter">Whether a higher value is a better one.</param>
/// <param name="Compute">The score; not a number where it is undefined.</param>
public sealed record Metric(string Name, TaskKind Task, bool HigherIsBetter, Func<EvalPrediction, double> Compute)
{
    /// <summary>Whether it needs exactly two classes.</summary>
    internal bool TwoClassesOnly { get; init; }

    /// <summary>Whether it is of what is predicted of several labels, and so changes with their thresholds.</summary>
    internal bool HasThresholds { get; init; }

    /// <summary>Other names for it.</summary>
    internal IReadOnlyList<string> Aliases { get; init; } = [];
}
