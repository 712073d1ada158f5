namespace Attune.Cli.Experiments;

/// <summary>What is searched, and how.</summary>
public sealed record SweepArguments
{
    /// <summary>An argument of training, of the model or of the data, and the values among which to search; once for each argument.</summary>
    /// <value>
    /// NAME=A,B,C for some values, NAME=LOW..HIGH for numbers between two, with :log for even steps of their logarithm, and with :N for N values at
    /// even distances, such as learning_rate=1e-5..1e-4:log or weight_decay=0..0.1:5.
    /// </value>
    public IReadOnlyList<string> Search { get; init; } = [];

    /// <summary>How values are chosen.</summary>
    /// <value>random, grid (all combinations) or halving (random, and after some evaluations only the better ones go on). Default random.</value>
    public SearchMethod Method { get; init; }

    /// <summary>Number of trials.</summary>
    /// <value>At least 1. Default 20; all combinations for grid.</value>
    public int? Trials { get; init; }

    /// <summary>Seed of the values: trial and seed alone decide them, so that a study can be gone on with and repeated.</summary>
    /// <value>Default 42.</value>
    public long StudySeed { get; init; } = 42;

    /// <summary>With halving, evaluations before the first cut; the next comes after reduction_factor times as many.</summary>
    /// <value>At least 1. Default 1: after the first epoch where eval_strategy is epoch.</value>
    public int FirstCut { get; init; } = 1;

    /// <summary>With halving, one of so many trials goes on at each cut.</summary>
    /// <value>At least 2. Default 3.</value>
    public int ReductionFactor { get; init; } = 3;

    /// <summary>Number of trials whose models are kept, the best ones; of the others only logs and results stay.</summary>
    /// <value>At least 1. Default 1.</value>
    public int KeepBest { get; init; } = 1;

    /// <exception cref="AttuneException">A number is out of range.</exception>
    internal SweepArguments Validated()
    {
        Require("trials", Trials ?? 1, 1);
        Require("first_cut", FirstCut, 1);
        Require("reduction_factor", ReductionFactor, 2);
        Require("keep_best", KeepBest, 1);
        return this;
    }

    private static void Require(string name, int value, int least)
    {
        if (value < least) throw new AttuneException($"{name} is {value}; it must be at least {least}.");
    }
}

/// <summary>How the values of a search are chosen.</summary>
public enum SearchMethod
{
    /// <summary>Each trial's by itself, at random.</summary>
    Random,
    /// <summary>All combinations.</summary>
    Grid,
    /// <summary>At random, with worse trials ended early.</summary>
    Halving,
}
