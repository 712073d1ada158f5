namespace Attune.Cli.Experiments;

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016): in each stage all trials that are left train up to a cut, and the best share of them
/// goes on; in the last stage they train to their end. A stage is judged when it is complete, so the result does not depend on how many
/// processes work on it or in which order.
/// </summary>
/// <param name="Trials">How many begin.</param>
/// <param name="FirstCut">Evaluations before the first cut.</param>
/// <param name="Factor">One of so many goes on.</param>
internal sealed record HalvingPlan(int Trials, int FirstCut, int Factor)
{
    /// <summary>A plan without cuts.</summary>
    internal static HalvingPlan Whole(int trials) => new(trials, int.MaxValue, int.MaxValue);

    /// <summary>Number of the last stage, from 0; the trials in it train to their end.</summary>
    internal int LastStage
    {
        get
        {
            var stage = 0;
            for (var left = Trials; left / Factor >= 1; left /= Factor) stage++;
            return stage;
        }
    }

    /// <summary>The evaluation after which a stage is cut; null in the last one.</summary>
    internal long? Cut(int stage) => stage >= LastStage ? null : FirstCut * (long)Math.Pow(Factor, stage);

    /// <summary>Those that go on, the best first. A trial that failed or has no number does not; of equals the earlier goes first.</summary>
    /// <param name="values">Of the trials of a complete stage.</param>
    /// <param name="higherIsBetter">Which are better.</param>
    internal IReadOnlyList<int> Survivors(IReadOnlyCollection<(int Trial, double? Value)> values, bool higherIsBetter) =>
        [.. Ranked(values, higherIsBetter).Take(Math.Max(1, values.Count / Factor))];

    /// <summary>Trials that have a number, the best first.</summary>
    internal static IEnumerable<int> Ranked(IEnumerable<(int Trial, double? Value)> values, bool higherIsBetter) => values
        .Where(trial => trial.Value is { } value && !double.IsNaN(value))
        .OrderBy(trial => higherIsBetter ? -trial.Value : trial.Value).ThenBy(trial => trial.Trial).Select(trial => trial.Trial);
}
