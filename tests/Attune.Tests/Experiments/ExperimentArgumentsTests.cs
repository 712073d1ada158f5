using Attune.Cli.Experiments;

namespace Attune.Tests.Experiments;

public sealed class ExperimentArgumentsTests
{
    [Theory]
    [InlineData(null, "3", "seed-42 seed-43 seed-44")]
    [InlineData(null, "1,7", "seed-1 seed-7")]
    [InlineData(3, null, "fold-1 fold-2 fold-3")]
    [InlineData(2, "5,6", "seed-5-fold-1 seed-5-fold-2 seed-6-fold-1 seed-6-fold-2")]
    public void Runs_FoldsAndSeeds_AreAllCombinations(int? folds, string? seeds, string names) =>
        Assert.Equal(names, string.Join(' ', Of(folds, seeds).Runs(42).Select(run => run.Name)));

    [Theory]
    [InlineData(1, null, "folds is 1; it must be at least 2.")]
    [InlineData(null, "0", "seeds must be a number of runs from 1 on, or a list such as 1,2,3.")]
    [InlineData(null, "1,1", "seeds names one twice; each run must have a seed of its own.")]
    [InlineData(null, "a,b", "seed is a; it must be a whole number.")]
    public void Runs_Impossible_AreRefused(int? folds, string? seeds, string message) =>
        Assert.Equal(message, Assert.Throws<AttuneException>(() => Of(folds, seeds).Runs(42)).Message);

    private static ExperimentArguments Of(int? folds, string? seeds) => new() { Folds = folds, Seeds = seeds?.Split(',') };
}
