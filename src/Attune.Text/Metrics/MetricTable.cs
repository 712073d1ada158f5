using static Attune.TaskKind;

namespace Attune.Metrics;

/// <summary>All metrics by name. Names and definitions follow Hugging Face's <c>evaluate</c>, which follows scikit-learn and scipy.</summary>
/// <remarks>
/// <c>precision</c>, <c>recall</c> and <c>f1</c> alone are those of class 1 of two, or the micro average of several labels;
/// <c>f1_macro</c>, <c>f1_micro</c>, <c>f1_weighted</c> (and <c>f1_samples</c> for several labels) name the average.
/// A new metric is one line here.
/// </remarks>
public static class MetricTable
{
    private static readonly Metric[] All =
    [
        OfClasses("accuracy", matrix => matrix.Accuracy) with { Aliases = ["acc"] },
        OfClasses("balanced_accuracy", matrix => matrix.BalancedAccuracy),
        OfClasses("matthews_correlation", matrix => matrix.MatthewsCorrelation) with { Aliases = ["mcc", "matthews", "matthews_corrcoef"] },
        OfClasses("cohen_kappa", matrix => matrix.CohenKappa) with { Aliases = ["kappa"] },
        .. Averages("precision", scores => scores.Precision),
        .. Averages("recall", scores => scores.Recall),
        .. Averages("f1", scores => scores.F1),
        OfProbabilities("roc_auc", (labels, scores, classes) => OverClasses(Ranking.RocAuc, labels, scores, classes, Averaging.Macro)),
        OfProbabilities("roc_auc_ovr", (labels, scores, classes) => EachAgainstAll(Ranking.RocAuc, labels, scores, classes, Averaging.Macro)),
        OfProbabilities("roc_auc_ovr_weighted",
            (labels, scores, classes) => EachAgainstAll(Ranking.RocAuc, labels, scores, classes, Averaging.Weighted)),
        OfProbabilities("roc_auc_ovo", (labels, scores, classes) => Ranking.RocAucOneVersusOne(labels, scores, classes)),
        OfProbabilities("roc_auc_ovo_weighted", (labels, scores, classes) => Ranking.RocAucOneVersusOne(labels, scores, classes, weighted: true)),
        OfProbabilities("average_precision",
            (labels, scores, classes) => OverClasses(Ranking.AveragePrecision, labels, scores, classes, Averaging.Macro)),
        OfProbabilities("log_loss", (labels, scores, classes) => Probabilities.LogLoss(labels, scores, classes), higherIsBetter: false),
        OfProbabilities("brier_score", Brier, higherIsBetter: false) with { Aliases = ["brier"] },
        OfProbabilities("ece", (labels, scores, classes) => new Calibration(labels, scores, classes).ExpectedError, higherIsBetter: false)
            with { Aliases = ["expected_calibration_error"] },
        OfProbabilities("mce", (labels, scores, classes) => new Calibration(labels, scores, classes).MaximumError, higherIsBetter: false)
            with { Aliases = ["maximum_calibration_error"] },
        .. new[] { 2, 3, 5, 10 }.Select(count => OfProbabilities($"top{count}_accuracy",
            (labels, scores, classes) => Probabilities.TopAccuracy(labels, scores, classes, count)) with { Aliases = [$"top_{count}_accuracy"] }),

        OfLabels("accuracy", scores => scores.SubsetAccuracy) with { Aliases = ["acc", "subset_accuracy"] },
        OfLabels("hamming_loss", scores => scores.HammingLoss) with { HigherIsBetter = false },
        .. Ranked("roc_auc", Ranking.RocAuc),
        .. Ranked("average_precision", Ranking.AveragePrecision),
        new("log_loss", MultiLabel, false, given => Probabilities.LogLoss(given.HasLabel, Probabilities.Sigmoid(given.Logits))),
        new("brier_score", MultiLabel, false, given => Probabilities.Brier(given.HasLabel, Probabilities.Sigmoid(given.Logits)))
            { Aliases = ["brier"] },

        OfNumbers("mse", Regression.MeanSquaredError, higherIsBetter: false) with { Aliases = ["mean_squared_error"] },
        OfNumbers("rmse", (labels, predictions) => Math.Sqrt(Regression.MeanSquaredError(labels, predictions)), higherIsBetter: false)
            with { Aliases = ["root_mean_squared_error"] },
        OfNumbers("mae", Regression.MeanAbsoluteError, higherIsBetter: false) with { Aliases = ["mean_absolute_error"] },
        OfNumbers("r2", Regression.R2) with { Aliases = ["r_squared"] },
        OfNumbers("pearson", Correlation.Pearson) with { Aliases = ["pearsonr"] },
        OfNumbers("spearmanr", Correlation.Spearman) with { Aliases = ["spearman"] },
        OfNumbers("kendall_tau", Correlation.KendallTau) with { Aliases = ["kendalltau", "kendall"] },
    ];

    private delegate double ProbabilityScore(int[] labels, double[] probabilities, int classes);

    private delegate double NumberScore(ReadOnlySpan<double> labels, ReadOnlySpan<double> predictions);

    /// <summary>The names of all metrics for this kind of label, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names(TaskKind task) =>
        [.. All.Where(metric => metric.Task == task).Select(metric => metric.Name).Order(StringComparer.Ordinal)];

    /// <summary>What is measured where nothing is asked for: accuracy, micro F1 of several labels, or the mean squared error.</summary>
    public static string Default(TaskKind task) => task switch { SingleLabel => "accuracy", MultiLabel => "f1", _ => "mse" };

    /// <summary>The metric of that name.</summary>
    /// <param name="name">Name or alias; <c>-</c> counts as <c>_</c>, and <c>macro_f1</c> as <c>f1_macro</c>.</param>
    /// <param name="task">What the labels are.</param>
    /// <param name="columns">Number of classes, labels or numbers per row.</param>
    /// <exception cref="AttuneException">There is none of that name, or it does not fit the task or the number of classes.</exception>
    public static Metric Find(string name, TaskKind task, int columns)
    {
        ArgumentNullException.ThrowIfNull(name);
        var wanted = Normalized(name);
        var named = All.Where(metric => metric.Name == wanted || metric.Aliases.Contains(wanted)).ToArray();
        if (named.Length == 0)
            throw new AttuneException($"There is no metric \"{name}\".{Spelling.DidYouMean(wanted, Names(task))} " +
                $"The metrics for {Described(task)} are {string.Join(", ", Names(task))}.");
        var metric = named.FirstOrDefault(metric => metric.Task == task) ?? throw new AttuneException(
            $"The metric {wanted} is for {Described(named[0].Task)}, but this task is {Described(task)}; choose one of {string.Join(", ", Names(task))}.");
        if (metric.TwoClassesOnly && columns != 2)
            throw new AttuneException($"The metric {wanted} is for two classes, but there are {columns}; " +
                $"choose {wanted}_macro, {wanted}_micro or {wanted}_weighted.");
        return metric;
    }

    /// <summary>Whether a higher value of a metric is a better one, whatever the labels are; null where there is none of that name.</summary>
    internal static bool? HigherIsBetter(string name) => Array.Find(All, metric => metric.Name == name)?.HigherIsBetter;

    /// <summary>A function that computes these metrics; what the Trainer takes as <c>compute_metrics</c>.</summary>
    /// <inheritdoc cref="Find" path="/exception"/>
    /// <param name="names">Names as for <see cref="Find"/>; none at all means <see cref="Default"/>.</param>
    /// <param name="task">What the labels are.</param>
    /// <param name="columns">Number of classes, labels or numbers per row.</param>
    public static Func<EvalPrediction, IReadOnlyDictionary<string, double>> ComputeMetrics(
        IReadOnlyCollection<string> names, TaskKind task, int columns)
    {
        ArgumentNullException.ThrowIfNull(names);
        var metrics = (names.Count == 0 ? [Default(task)] : names)
            .Select(name => Find(name, task, columns)).DistinctBy(metric => metric.Name).ToArray();
        return prediction =>
        {
            var labelled = prediction.Labelled();
            return metrics.ToDictionary(metric => metric.Name, metric => metric.Compute(labelled));
        };
    }

    private static string Normalized(string name)
    {
        var words = name.Trim().ToLowerInvariant().Replace('-', '_').Replace(' ', '_').Split('_');
        return words is ["micro" or "macro" or "weighted" or "samples", var score] ? $"{score}_{words[0]}" : string.Join('_', words);
    }

    private static string Described(TaskKind task) => task switch
    {
        SingleLabel => "one label per row",
        MultiLabel => "several labels per row",
        _ => "regression",
    };

    private static Metric OfClasses(string name, Func<ConfusionMatrix, double> score) => new(name, SingleLabel, true,
        given => score(new ConfusionMatrix(given.ClassLabels, given.Predictions, given.Columns)));

    private static Metric OfLabels(string name, Func<MultiLabelScores, double> score) => new(name, MultiLabel, true,
        given => score(new MultiLabelScores(given.HasLabel, given.PredictedLabels, given.Columns)))
    { HasThresholds = true };

    private static IEnumerable<Metric> Averages(string name, Func<ClassScores, double> score)
    {
        yield return OfClasses(name, matrix => score(matrix.Scores(1))) with { TwoClassesOnly = true };
        yield return OfLabels(name, labels => score(labels.Average(Averaging.Micro)));
        foreach (var averaging in Enum.GetValues<Averaging>())
        {
            var full = $"{name}_{averaging.ToString().ToLowerInvariant()}";
            if (averaging != Averaging.Samples) yield return OfClasses(full, matrix => score(matrix.Average(averaging)));
            yield return OfLabels(full, labels => score(labels.Average(averaging)));
        }
    }

    private static Metric OfProbabilities(string name, ProbabilityScore score, bool higherIsBetter = true) => new(name, SingleLabel, higherIsBetter,
        given => score(given.ClassLabels, Probabilities.Softmax(given.Logits, given.Columns), given.Columns));

    private static IEnumerable<Metric> Ranked(string name, RankingScore score)
    {
        yield return Of(name, Averaging.Macro);
        yield return Of(name + "_macro", Averaging.Macro);
        yield return Of(name + "_micro", Averaging.Micro);
        yield return Of(name + "_weighted", Averaging.Weighted);

        Metric Of(string full, Averaging averaging) => new(full, MultiLabel, true, given =>
            Ranking.Average(score, given.HasLabel, Probabilities.Sigmoid(given.Logits), given.Columns, averaging));
    }

    private static Metric OfNumbers(string name, NumberScore score, bool higherIsBetter = true) => new(name, TaskKind.Regression, higherIsBetter,
        given => Enumerable.Range(0, given.Columns).Average(column =>
            score(Column(given.Labels, given.Columns, column), Column(given.Logits, given.Columns, column))));

    private static double OverClasses(RankingScore score, int[] labels, double[] scores, int classes, Averaging averaging) => classes == 2
        ? score(Array.ConvertAll(labels, label => label == 1), Column(scores, 2, 1))
        : EachAgainstAll(score, labels, scores, classes, averaging);

    private static double EachAgainstAll(RankingScore score, int[] labels, double[] scores, int classes, Averaging averaging)
    {
        var positive = new bool[scores.Length];
        foreach (var (row, label) in labels.Index()) positive[row * classes + label] = true;
        return Ranking.Average(score, positive, scores, classes, averaging);
    }

    private static double Brier(int[] labels, double[] probabilities, int classes) => classes == 2
        ? Probabilities.Brier(Array.ConvertAll(labels, label => label == 1), Column(probabilities, 2, 1))
        : Probabilities.Brier(labels, probabilities, classes);

    private static double[] Column<T>(T[] cells, int columns, int column) where T : struct, IConvertible
    {
        var values = new double[cells.Length / columns];
        for (var row = 0; row < values.Length; row++) values[row] = cells[row * columns + column].ToDouble(null);
        return values;
    }
}
