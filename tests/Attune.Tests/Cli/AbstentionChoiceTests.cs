using Attune.Cli;
using Attune.Metrics;

namespace Attune.Tests.Cli;

public sealed class AbstentionChoiceTests
{
    [Fact]
    public void Parse_Values_AreConfidencesOrAccuracies()
    {
        Assert.Null(AbstentionChoice.Parse(null));
        Assert.Equal(new AbstentionChoice(0.7, null), AbstentionChoice.Parse("0.7"));
        Assert.Equal(new AbstentionChoice(null, 0.95), AbstentionChoice.Parse("auto:0.95"));
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("auto:")]
    [InlineData("auto:95")]
    [InlineData("1.5")]
    [InlineData("sure")]
    public void Parse_Others_AreRefused(string text) =>
        Assert.StartsWith($"abstain_below is {text}; ", Assert.Throws<AttuneException>(() => AbstentionChoice.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Of_Accuracy_IsTheSmallestConfidenceThatReachesIt()
    {
        // Confidences 0.9, 0.8 and 0.7 of class 0; the last is wrong.
        var rows = new EvalPrediction([.. new[] { 0.9, 0.8, 0.7 }.SelectMany(p => new[] { (float)Math.Log(p), (float)Math.Log(1 - p) })], 3, 2, [0, 0, 1]);
        Assert.Equal(0.75, AbstentionChoice.Parse("auto:0.9")!.Of(rows, 1)!.Value, 1e-6);
        Assert.Equal(0, AbstentionChoice.Parse("auto:0.5")!.Of(rows, 1));
        Assert.Equal(0.33, AbstentionChoice.Parse("0.33")!.Of(rows, 1));
        Assert.Null(AbstentionChoice.Parse("auto:1")!.Of(rows with { Labels = [1, 0, 0] }, 1));
    }
}
