using System.Text.Json;
using Attune.Metrics;

namespace Attune.Tests.Metrics;

/// <summary>Every score of the golden cases against scikit-learn and scipy. null and error there are "not a number" here.</summary>
public sealed class GoldenMetricsTests
{
    private const double Tolerance = 1e-9;

    // Deviations of 1 from a mean of 1e6 leave ten digits; scipy and we round them differently.
    private const double LargeOffsetTolerance = 1e-6;

    [Fact]
    public void Classification_GoldenCases_EqualScikitLearn() => ForEach("classification", (golden, check) =>
    {
        var classes = golden.GetProperty("num_classes").GetInt32();
        var matrix = new ConfusionMatrix(Of<int[]>(golden, "y_true"), Of<int[]>(golden, "y_pred"), classes);
        check.Value("accuracy", matrix.Accuracy);
        check.Value("balanced_accuracy", matrix.BalancedAccuracy);
        check.Value("mcc", matrix.MatthewsCorrelation);
        check.Value("cohen_kappa", matrix.CohenKappa);
        check.Scores("micro", matrix.Average(Averaging.Micro));
        check.Scores("macro", matrix.Average(Averaging.Macro, absentClasses: true));
        check.Scores("weighted", matrix.Average(Averaging.Weighted));
        check.Scores("macro_present_labels_only", matrix.Average(Averaging.Macro));
        if (classes == 2) check.Scores("binary_pos1", matrix.Scores(1));
        var perClass = check.Take("per_class");
        var counts = check.Take("confusion_matrix");
        for (var label = 0; label < classes; label++)
        {
            check.Scores(label, perClass, matrix.Scores(label));
            check.Equal(perClass.GetProperty("support")[label], matrix.Support(label));
            for (var other = 0; other < classes; other++) check.Equal(counts[label][other], matrix[label, other]);
        }
    });

    [Fact]
    public void BinaryScores_GoldenCases_EqualScikitLearn() => ForEach("binary_scores", (golden, check) =>
    {
        var positive = Array.ConvertAll(Of<int[]>(golden, "y_true"), label => label == 1);
        var scores = Of<double[]>(golden, "score");
        check.Value("roc_auc", Ranking.RocAuc(positive, scores));
        check.Value("average_precision", Ranking.AveragePrecision(positive, scores));
        check.Value("brier", Probabilities.Brier(positive, scores));
        check.Value("log_loss_eps1e-15", Probabilities.LogLoss(positive, scores, 1e-15));
    });

    [Fact]
    public void Probabilities_GoldenCases_EqualScikitLearn() => ForEach("probabilities", (golden, check) =>
    {
        var classes = golden.GetProperty("num_classes").GetInt32();
        var labels = Of<int[]>(golden, "y_true");
        var rows = Of<double[][]>(golden, "probs");
        double[] given = [.. rows.SelectMany(row => row)];
        double[] normalised = [.. rows.SelectMany(row => row.Select(value => value / row.Sum()))];
        bool[] positive = [.. labels.SelectMany(label => Enumerable.Range(0, classes).Select(column => column == label))];
        check.Value("brier_multiclass", Probabilities.Brier(labels, given, classes));
        check.Value("log_loss", Probabilities.LogLoss(labels, given, classes));
        check.Optional("roc_auc_ovr_macro", () => Ranking.Average(Ranking.RocAuc, positive, normalised, classes, Averaging.Macro));
        check.Optional("roc_auc_ovr_weighted", () => Ranking.Average(Ranking.RocAuc, positive, normalised, classes, Averaging.Weighted));
        check.Optional("roc_auc_ovo_macro", () => Ranking.RocAucOneVersusOne(labels, normalised, classes));
        check.Optional("roc_auc_ovo_weighted", () => Ranking.RocAucOneVersusOne(labels, normalised, classes, weighted: true));
        check.Optional("average_precision_macro_ovr",
            () => Ranking.Average(Ranking.AveragePrecision, positive, normalised, classes, Averaging.Macro));
        // With no more classes than places every row is a hit; the reference leaves that out.
        if (classes > 2) check.Value("top2_accuracy", Probabilities.TopAccuracy(labels, given, classes, 2));
        else check.Take("top2_accuracy");
        foreach (var name in check.Left().Where(name => name.StartsWith("bins_", StringComparison.Ordinal)))
        {
            var calibration = new Calibration(labels, given, classes, int.Parse(name["bins_".Length..]));
            check.Value($"ece_{name["bins_".Length..]}", calibration.ExpectedError);
            check.Value($"mce_{name["bins_".Length..]}", calibration.MaximumError);
            var bins = check.Take(name);
            Assert.Equal(bins.GetArrayLength(), calibration.Bins.Count);
            foreach (var (i, bin) in calibration.Bins.Index())
            {
                check.Equal(bins[i][0], bin.Index);
                check.Equal(bins[i][1], bin.Rows);
                check.Equal(bins[i][2], bin.Accuracy);
                check.Equal(bins[i][3], bin.Confidence);
            }
        }
    });

    [Fact]
    public void MultiLabel_GoldenCases_EqualScikitLearn() => ForEach("multilabel", (golden, check) =>
    {
        var columns = golden.GetProperty("num_classes").GetInt32();
        bool[] labels = [.. Of<int[][]>(golden, "y_true").SelectMany(row => row.Select(label => label == 1))];
        double[] scores = [.. Of<double[][]>(golden, "score").SelectMany(row => row)];
        var predicted = new MultiLabelScores(labels, Array.ConvertAll(scores, score => score > 0.5), columns);
        foreach (var averaging in Enum.GetValues<Averaging>())
        {
            var name = averaging.ToString().ToLowerInvariant();
            check.Scores(name, predicted.Average(averaging));
            if (averaging == Averaging.Samples) continue;
            check.Value("roc_auc_" + name, Ranking.Average(Ranking.RocAuc, labels, scores, columns, averaging));
            check.Value("average_precision_" + name, Ranking.Average(Ranking.AveragePrecision, labels, scores, columns, averaging));
        }
        check.Value("subset_accuracy", predicted.SubsetAccuracy);
        check.Value("hamming_loss", predicted.HammingLoss);
    });

    [Fact]
    public void Regression_GoldenCases_EqualScipy() => ForEach("regression", (golden, check) =>
    {
        var labels = Of<double[]>(golden, "y_true");
        var predictions = Of<double[]>(golden, "y_pred");
        var farFromZero = labels.Average(Math.Abs) > 1e4 * labels.Average(label => Math.Abs(label - labels.Average()));
        check.Value("pearson", Correlation.Pearson(labels, predictions), farFromZero ? LargeOffsetTolerance : Tolerance);
        check.Value("spearman", Correlation.Spearman(labels, predictions));
        check.Value("kendall_tau_b", Correlation.KendallTau(labels, predictions));
        check.Value("mse", Regression.MeanSquaredError(labels, predictions));
        check.Value("rmse", Math.Sqrt(Regression.MeanSquaredError(labels, predictions)));
        check.Value("mae", Regression.MeanAbsoluteError(labels, predictions));
        check.Value("r2", Regression.R2(labels, predictions));
    });

    private static T Of<T>(JsonElement golden, string name) => golden.GetProperty(name).Deserialize<T>()!;

    private static void ForEach(string kind, Action<JsonElement, Comparison> test)
    {
        var cases = Golden.Json(Golden.Require("metrics"), "cases.json").GetProperty("cases").EnumerateArray()
            .Where(golden => golden.GetProperty("kind").GetString() == kind);
        foreach (var golden in cases)
        {
            var comparison = new Comparison(golden);
            test(golden, comparison);
            Assert.Empty(comparison.Left());
        }
    }

    /// <summary>Compares a case's expected values and knows which of them nobody has asked for yet.</summary>
    private sealed class Comparison(JsonElement golden)
    {
        private readonly Dictionary<string, JsonElement> _left =
            golden.GetProperty("expected").EnumerateObject().ToDictionary(property => property.Name, property => property.Value);

        internal string[] Left() => [.. _left.Keys];

        internal JsonElement Take(string name) => _left.Remove(name, out var value)
            ? value
            : throw new InvalidDataException($"{golden.GetProperty("name")} has no {name}.");

        internal void Value(string name, double actual, double tolerance = Tolerance) => Equal(Take(name), actual, name, tolerance);

        internal void Optional(string name, Func<double> actual)
        {
            if (_left.ContainsKey(name)) Value(name, actual());
        }

        internal void Scores(string name, ClassScores actual)
        {
            var expected = Take(name);
            Equal(expected.GetProperty("precision"), actual.Precision, name);
            Equal(expected.GetProperty("recall"), actual.Recall, name);
            Equal(expected.GetProperty("f1"), actual.F1, name);
        }

        internal void Scores(int label, JsonElement expected, ClassScores actual)
        {
            Equal(expected.GetProperty("precision")[label], actual.Precision, $"precision of {label}");
            Equal(expected.GetProperty("recall")[label], actual.Recall, $"recall of {label}");
            Equal(expected.GetProperty("f1")[label], actual.F1, $"f1 of {label}");
        }

        internal void Equal(JsonElement expected, double actual, string name = "", double tolerance = Tolerance) => Assert.True(
            expected.ValueKind == JsonValueKind.Number ? Math.Abs(expected.GetDouble() - actual) <= tolerance : double.IsNaN(actual),
            $"{golden.GetProperty("name")}, {name}: {actual}, not {expected}");
    }
}
