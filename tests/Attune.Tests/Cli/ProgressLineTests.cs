using Attune.Cli;

namespace Attune.Tests.Cli;

public sealed class ProgressLineTests
{
    private static readonly Progress Now = new(2, 6, 120, 420, 0.59771, 0.00087832, 16432.7, TimeSpan.FromSeconds(78));

    [Theory]
    [InlineData(120, "epoch 2/6  ━━━━━━━━──────────────────────  120/420  loss 0.5977  lr 0.000878  16.4k tok/s  1:18 left")]
    [InlineData(80, "epoch 2/6  ━━────────  120/420  loss 0.5977  lr 0.000878  16.4k tok/s  1:18 left")]
    [InlineData(70, "epoch 2/6  ━━━──────────  120/420  loss 0.5977  16.4k tok/s  1:18 left")]
    [InlineData(60, "epoch 2/6  ━━━━────────────  120/420  loss 0.5977  1:18 left")]
    [InlineData(50, "epoch 2/6  ━─────  120/420  loss 0.5977  1:18 left")]
    [InlineData(45, "epoch 2/6  120/420  loss 0.5977  1:18 left")]
    [InlineData(10, "epoch 2/6")]
    public void Live_AnyWidth_ShowsWhatFits(int columns, string expected)
    {
        var line = ProgressLine.Live(Now, columns);
        Assert.Equal(expected, line);
        Assert.True(line.Length <= columns);
    }

    [Fact]
    public void Plain_ShowsEverything() =>
        Assert.Equal("epoch 2/6  120/420  loss 0.5977  lr 0.000878  16.4k tok/s  1:18 left", ProgressLine.Plain(Now));

    [Theory]
    [InlineData(5, "0:05")]
    [InlineData(3599, "59:59")]
    [InlineData(3600, "1:00:00")]
    [InlineData(100000, "27:46:40")]
    public void Duration_AnyLength_IsReadable(int seconds, string expected) => Assert.Equal(expected, ProgressLine.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Log_LeavesTimesOutAndRounds() => Assert.Equal(
        "epoch 0.29  step 40  eval_loss 0.6979  eval_accuracy 0.4958",
        ProgressLine.Log(40, new OrderedDictionary<string, double>
        {
            ["eval_loss"] = 0.6978500590442472,
            ["eval_accuracy"] = 0.4958333,
            ["eval_runtime"] = 0.7424,
            ["eval_samples_per_second"] = 323.272,
            ["epoch"] = 0.2857142857,
        }));

    [Fact]
    public void Results_AreTheLineThatPythonPrints() => Assert.Equal(
        "{'eval_loss': 0.5, 'eval_accuracy': 1.0, 'eval_runtime': 2e-05, 'eval_samples': 20}",
        PythonDict.Of(new OrderedDictionary<string, double> { ["eval_loss"] = 0.5, ["eval_accuracy"] = 1, ["eval_runtime"] = 2e-5, ["eval_samples"] = 20 }));
}
