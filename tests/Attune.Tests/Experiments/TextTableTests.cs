using Attune.Cli.Experiments;

namespace Attune.Tests.Experiments;

public sealed class TextTableTests
{
    [Fact]
    public void ToString_WordsAndNumbers_StandAtTheirEdges()
    {
        var table = new TextTable("metric", "mean", "where");
        table.Add("accuracy", "0.9", "a");
        table.Add("f1", "12.25", "");
        Assert.Equal("metric     mean  where\naccuracy    0.9  a\nf1        12.25", table.ToString());
    }
}
