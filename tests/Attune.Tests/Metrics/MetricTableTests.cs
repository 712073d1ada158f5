using Attune.Metrics;

namespace Attune.Tests.Metrics;

public sealed class MetricTableTests
{
    // Predictions 1, 0, 1, 1 for labels 1, 0, 0, 1.
    private static readonly EvalPrediction TwoClasses = new([-1, 2, 3, 0, 0, 1, -2, -1], 4, 2, [1, 0, 0, 1]);

    [Fact]
    public void ComputeMetrics_SeveralNames_ReportsEachByItsOwnName()
    {
        var values = MetricTable.ComputeMetrics(["acc", "F1", "matthews-correlation", "macro_f1"], TaskKind.SingleLabel, 2)(TwoClasses);
        Assert.Equal(["accuracy", "f1", "matthews_correlation", "f1_macro"], values.Keys);
        Assert.Equal(0.75, values["accuracy"]);
        Assert.Equal(0.8, values["f1"], 1e-12);
        Assert.Equal(1 / Math.Sqrt(3), values["matthews_correlation"], 1e-12);
        Assert.Equal((0.8 + 2 / 3.0) / 2, values["f1_macro"], 1e-12);
    }

    [Theory]
    [InlineData(TaskKind.SingleLabel, "accuracy")]
    [InlineData(TaskKind.MultiLabel, "f1")]
    [InlineData(TaskKind.Regression, "mse")]
    public void ComputeMetrics_NoName_ReportsTheDefault(TaskKind task, string expected)
    {
        var given = TwoClasses with { Task = task, Labels = task == TaskKind.SingleLabel ? TwoClasses.Labels : [1, 0, 0, 1, 1, 1, 0, 0] };
        Assert.Equal([expected], MetricTable.ComputeMetrics([], task, 2)(given).Keys);
    }

    [Fact]
    public void ComputeMetrics_SeveralLabelsPerRow_DecidesAtOneHalf()
    {
        var given = new EvalPrediction([0.1f, -0.1f, 0, 2], 2, 2, [1, 0, 1, 1], TaskKind.MultiLabel);
        var values = MetricTable.ComputeMetrics(["f1", "accuracy", "hamming_loss"], TaskKind.MultiLabel, 2)(given);
        Assert.Equal(2 * 2 / 5.0, values["f1"], 1e-12);
        Assert.Equal(0.5, values["accuracy"]);
        Assert.Equal(0.25, values["hamming_loss"]);
    }

    [Fact]
    public void ComputeMetrics_RowsWithIgnoredLabel_DoNotCount()
    {
        var given = new EvalPrediction([0, 1, 0, 1, 1, 0], 3, 2, [1, -100, 1]);
        Assert.Equal(0.5, MetricTable.ComputeMetrics(["accuracy"], TaskKind.SingleLabel, 2)(given)["accuracy"]);
    }

    [Theory]
    [InlineData(TaskKind.SingleLabel, 2)]
    [InlineData(TaskKind.SingleLabel, 5)]
    [InlineData(TaskKind.MultiLabel, 5)]
    [InlineData(TaskKind.Regression, 1)]
    [InlineData(TaskKind.Regression, 2)]
    public void Find_EveryName_IsDefinedAndBestForPerfectPredictions(TaskKind task, int columns)
    {
        const int rows = 20;
        var labels = task == TaskKind.SingleLabel
            ? [.. Enumerable.Range(0, rows).Select(row => (float)(row % columns))]
            : Enumerable.Range(0, rows * columns).Select(cell => task == TaskKind.Regression ? cell : (float)(cell * 7 % 3 % 2)).ToArray();
        float[] logits = task switch
        {
            TaskKind.SingleLabel => [.. Enumerable.Range(0, rows * columns).Select(cell => labels[cell / columns] == cell % columns ? 60f : -60)],
            TaskKind.MultiLabel => Array.ConvertAll(labels, label => label * 120 - 60),
            _ => labels,
        };
        var given = new EvalPrediction(logits, rows, columns, labels, task);
        foreach (var name in MetricTable.Names(task))
        {
            if (columns != 2 && name is "f1" or "precision" or "recall" && task == TaskKind.SingleLabel) continue;
            var metric = MetricTable.Find(name, task, columns);
            Assert.Equal(metric.HigherIsBetter ? 1 : 0, metric.Compute(given), 1e-12);
        }
    }

    [Theory]
    [InlineData("acuracy", TaskKind.SingleLabel, 2, "Did you mean \"accuracy\"?")]
    [InlineData("nonsense", TaskKind.SingleLabel, 2, "There is no metric \"nonsense\". The metrics for one label per row are accuracy, ")]
    [InlineData("f1", TaskKind.SingleLabel, 3, "choose f1_macro, f1_micro or f1_weighted")]
    [InlineData("accuracy", TaskKind.Regression, 1, "this task is regression; choose one of kendall_tau, ")]
    public void Find_UnfitName_SaysWhatToChoose(string name, TaskKind task, int columns, string expected) => Assert.Contains(expected,
        Assert.Throws<AttuneException>(() => MetricTable.Find(name, task, columns)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("sst2", "accuracy")]
    [InlineData("CoLA", "matthews_correlation")]
    [InlineData("glue/SST-2", "accuracy")]
    [InlineData("mrpc", "accuracy,f1,combined_score")]
    [InlineData("mnli-mm", null)]
    [InlineData("mnli-mismatched", "accuracy")]
    public void Glue_Task_HasTransformersKeys(string task, string? keys)
    {
        if (keys is null) Assert.Contains("mnli_mismatched", Assert.Throws<AttuneException>(() => GlueMetrics.Names(task)).Message, StringComparison.Ordinal);
        else Assert.Equal(keys.Split(','), GlueMetrics.ComputeMetrics(task)(TwoClasses).Keys);
    }

    [Fact]
    public void Glue_Stsb_CombinesTheTwoCorrelations()
    {
        var values = GlueMetrics.ComputeMetrics("STS-B")(new EvalPrediction([1, 2, 4], 3, 1, [1, 2, 3], TaskKind.Regression));
        Assert.Equal(["pearson", "spearmanr", "combined_score"], values.Keys);
        Assert.Equal((values["pearson"] + values["spearmanr"]) / 2, values["combined_score"], 1e-12);
    }

    [Theory]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("f1", "f1", 0)]
    public void Spelling_Distance_CountsEdits(string first, string second, int expected) =>
        Assert.Equal(expected, Spelling.Distance(first, second));
}
