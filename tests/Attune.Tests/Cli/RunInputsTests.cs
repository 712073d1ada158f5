using Attune.Batching;
using Attune.Cli;

namespace Attune.Tests.Cli;

public sealed class RunInputsTests
{
    [Fact]
    public void Encoded_SplitOfTheRunBefore_IsTakenWhereItIsTheSameAndElseReplaced()
    {
        var inputs = new RunInputs(null!, null!, null!);
        var made = 0;
        Assert.True(inputs.IsFirstRun);
        var first = Take("train", 42);
        Take("validation", 42);
        Assert.Same(first, Take("train", 42));
        Assert.Equal(2, made);
        Assert.NotSame(first, Take("train", 43));
        Assert.NotSame(first, Take("train", 42));              // one of each split is kept
        Assert.Equal(4, made);
        Assert.False(inputs.IsFirstRun);

        TokenizedDataset Take(string split, long seed) => inputs.Encoded(split, (seed, 128), () =>
        {
            made++;
            return new TokenizedDataset([new TokenizedRow([101, 102])]);
        });
    }
}
