using Attune.Checkpoints;
using Attune.Cli.Reports;
using Attune.Metrics;
using Attune.Tests.Datasets;

namespace Attune.Tests.Reports;

public sealed class MetricFigureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OfAccuracy_OfRows_IsWilsons()
    {
        Assert.Equal(WilsonInterval.Of(45, 50), MetricFigure.OfAccuracy("accuracy", 0.9, 50));
        Assert.Equal(WilsonInterval.Of(2, 3), MetricFigure.OfAccuracy("accuracy", 0.6667, 3));
    }

    [Theory]
    [InlineData("balanced_accuracy", 0.9, 50.0)]
    [InlineData("accuracy_irony", 0.9, 50.0)]
    [InlineData("f1", 0.9, 50.0)]
    [InlineData("accuracy", 0.9, null)]
    [InlineData("accuracy", 0.9, 0.0)]
    [InlineData("accuracy", 1.5, 50.0)]
    [InlineData("accuracy", double.NaN, 50.0)]
    public void OfAccuracy_OfAnythingElse_IsNotKnown(string name, double value, double? rows) => Assert.Null(MetricFigure.OfAccuracy(name, value, rows));

    [Fact]
    public void OfTest_ResultsAlone_HaveTheIntervalOfAccuracy()
    {
        var run = MadeRun.OneLabel(_folder.Path);
        MadeRun.Change(run, CheckpointFiles.AllResults, ("test_balanced_accuracy", 0.8));
        var figures = MetricFigure.OfTest(RunFacts.Read(run), 100, 1).ToDictionary(figure => figure.Name);
        Assert.Equal((0.9, WilsonInterval.Of(45, 50)), (figures["accuracy"].Value, figures["accuracy"].Interval!.Value));
        Assert.Equal((0.8, null), (figures["balanced_accuracy"].Value, figures["balanced_accuracy"].Interval));
        Assert.Equal(2, figures.Count);
    }
}
