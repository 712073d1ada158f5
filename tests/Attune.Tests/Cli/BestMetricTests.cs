using Attune.Cli;
using Attune.Training;

namespace Attune.Tests.Cli;

public sealed class BestMetricTests
{
    [Theory]
    [InlineData("mse", false)]
    [InlineData("eval_rmse", false)]
    [InlineData("brier_score", false)]
    [InlineData("log_loss", false)]
    [InlineData("loss", false)]
    [InlineData("eval_loss", false)]
    [InlineData("pearson", true)]
    [InlineData("f1_macro", true)]
    [InlineData("combined_score", true)]
    public void HigherIsBetter_NameAlone_IsThatOfTheMetric(string name, bool expected)
    {
        Assert.Equal(expected, BestMetric.HigherIsBetter(new TrainingArguments { MetricForBestModel = name }));
        Assert.Equal(!expected, BestMetric.HigherIsBetter(new TrainingArguments { MetricForBestModel = name, GreaterIsBetter = !expected }));
    }

    [Fact]
    public void WithDirection_LessIsBetter_IsSetAndSaidWhereTransformersWouldKeepTheWorst()
    {
        var told = new List<string>();
        Assert.False(BestMetric.WithDirection(new TrainingArguments { MetricForBestModel = "eval_mse" }, told.Add).GreaterIsBetter);
        Assert.Equal(["greater_is_better is false, because less mse is better; transformers takes it for true."], told);
        foreach (var other in new TrainingArguments[]
                 {
                     new(), new() { MetricForBestModel = "accuracy" }, new() { MetricForBestModel = "loss" }, new() { MetricForBestModel = "mse", GreaterIsBetter = true },
                 })
            Assert.Same(other, BestMetric.WithDirection(other, told.Add));
        Assert.Single(told);
    }
}
