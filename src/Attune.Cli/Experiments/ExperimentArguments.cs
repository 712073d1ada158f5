using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>Several runs of the same command, to see by how much their results differ.</summary>
public sealed record ExperimentArguments
{
    /// <summary>Cross-validation: so many runs, each trained on all training rows but one part, which it is evaluated on; the parts have the classes in their proportions.</summary>
    /// <value>At least 2. Default null: one run. A validation split of the data set is not used; a test split is predicted by each run.</value>
    public int? Folds { get; init; }

    /// <summary>Runs with several seeds.</summary>
    /// <value>How many, which begins with seed and counts up; or a list such as 1,2,3. Default null: one run. With folds, all folds for each seed.</value>
    public IReadOnlyList<string>? Seeds { get; init; }

    /// <summary>Whether there is more than one run.</summary>
    internal bool AreSeveral => Folds is not null || Seeds is not null;

    /// <summary>The runs.</summary>
    /// <param name="first">The seed where no list is given.</param>
    /// <exception cref="AttuneException">A number is impossible.</exception>
    internal IReadOnlyList<ExperimentRun> Runs(long first)
    {
        if (Folds < 2) throw new AttuneException($"folds is {Folds}; it must be at least 2.");
        var parts = Folds is { } count ? Enumerable.Range(1, count).Select(number => (int?)number) : [null];
        return [.. SeedsFrom(first).SelectMany(seed => parts.Select(fold => new ExperimentRun(seed, Seeds is not null, fold, Folds)))];
    }

    private IEnumerable<long> SeedsFrom(long first)
    {
        if (Seeds is null) return [first];
        var argument = ArgumentTable.Of<TrainingArguments>().Find("seed")!;
        long[] given = [.. Seeds.Select(text => (long)argument.Parse(text)!)];
        if (given.Length > 1) return given.Distinct().Count() == given.Length ? given : throw new AttuneException("seeds names one twice; each run must have a seed of its own.");
        return given is [>= 1 and <= 10_000 and var count] ? Enumerable.Range(0, (int)count).Select(i => first + i)
            : throw new AttuneException("seeds must be a number of runs from 1 on, or a list such as 1,2,3.");
    }
}
