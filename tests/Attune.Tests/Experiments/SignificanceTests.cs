using Attune.Cli;
using Attune.Cli.Experiments;
using Attune.Metrics;
using Attune.Tests.Datasets;

namespace Attune.Tests.Experiments;

public sealed class SignificanceTests : IDisposable
{
    private const int Rows = 120;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_TwoRuns_TestsTheMetricsThatBothHave()
    {
        var tests = Significance.Of(Run("a", 3), Run("b", 10), new CompareArguments(), out var whyNot);
        Assert.Null(whyNot);
        Assert.Equal(["accuracy", "f1_macro"], tests.Select(test => test.Metric));
        Assert.Equal(new McNemar(8, 36), tests[0].McNemar);
        Assert.Equal(tests[0].McNemar!.P, tests[0].P);
        Assert.Equal(28.0 / Rows, tests[0].Bootstrap.Difference, 1e-9);
        Assert.Equal(("paired bootstrap", tests[1].Bootstrap.P), (tests[1].Test, tests[1].P));
    }

    [Fact]
    public void Of_MetricsResamplesAndSeed_AreThoseAskedFor()
    {
        var what = new CompareArguments { Metrics = ["matthews"], Resamples = 100 };
        var test = Assert.Single(Significance.Of(Run("a", 3), Run("b", 10), what, out _));
        Assert.Equal("matthews_correlation", test.Metric);
        Assert.Equal(Math.Round(test.P * 101 / 2), test.P * 101 / 2, 1e-9);
        Assert.NotEqual(test.Bootstrap, Significance.Of(Run("a", 3), Run("b", 10), what with { Seed = 43 }, out _)[0].Bootstrap);
        Assert.NotEqual(test.Bootstrap, Significance.Of(Run("a", 3), Run("b", 10), what with { Resamples = 200 }, out _)[0].Bootstrap);
    }

    [Fact]
    public void Of_RunsThatCannotBePaired_SaysWhy()
    {
        var a = Run("a", 3);
        Assert.Empty(Significance.Of(a, Run("other", 3, flip: true), new CompareArguments(), out var whyNot));
        Assert.Equal("they were not evaluated on the same rows", whyNot);
        Significance.Of(a, a with { Folder = _folder.Path }, new CompareArguments(), out whyNot);
        Assert.Equal($"{_folder.Path} has no predictions of its evaluation, which a run with --save-eval-predictions true leaves", whyNot);
        Significance.Of(a, Run("names", 3, classes: ["x", "y"]), new CompareArguments(), out whyNot);
        Assert.Equal("they have other classes", whyNot);
    }

    /// <summary>A run that has every so many-th row wrong.</summary>
    private FinishedRun Run(string name, int wrongEvery, bool flip = false, string[]? classes = null)
    {
        var labels = Enumerable.Range(0, Rows).Select(row => (float)((row / 2 + (flip ? 1 : 0)) % 2)).ToArray();
        var logits = labels.SelectMany((label, row) => (label == 1) != (row % wrongEvery == 0) ? (float[])[0, 1] : [1, 0]).ToArray();
        var folder = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(folder);
        RunPredictions.Write(folder, new EvalPrediction(logits, Rows, 2, labels), classes ?? ["no", "yes"], isWanted: true);
        return new FinishedRun(folder, [], new Dictionary<string, double> { ["eval_accuracy"] = 0.5, ["eval_f1_macro"] = 0.5, ["eval_loss"] = 1, ["eval_runtime"] = 1 }, []);
    }
}
