using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>How well one class is found.</summary>
/// <param name="Name">Of the class.</param>
/// <param name="Rows">Rows that are of it.</param>
/// <param name="Predicted">Rows that are said to be.</param>
/// <param name="Found">Rows that are of it and are said to be.</param>
/// <param name="Scores">Precision, recall and F1.</param>
/// <param name="Precision">Interval by <see cref="WilsonInterval"/>.</param>
/// <param name="Recall">The same.</param>
/// <param name="F1">Interval by <see cref="Bootstrap"/>.</param>
internal sealed record ClassFigure(string Name, long Rows, long Predicted, long Found, ClassScores Scores, Interval Precision, Interval Recall, Interval F1)
{
    /// <summary>The interval of precision in words.</summary>
    internal string SaidPrecision => Said(Predicted, Precision);

    /// <summary>That of recall.</summary>
    internal string SaidRecall => Said(Rows, Recall);

    /// <summary>That of F1.</summary>
    internal string SaidF1 => Said(Rows + Predicted, F1);

    /// <summary>Of each class of rows with classes.</summary>
    internal static IReadOnlyList<ClassFigure> Of(EvalPrediction rows, IReadOnlyList<string> names, int resamples, long seed)
    {
        var (actual, predicted, both) = (new long[rows.Columns], new long[rows.Columns], new long[rows.Columns]);
        if (rows.Task == TaskKind.SingleLabel)
        {
            var predictions = rows.Predictions;
            foreach (var (row, label) in rows.ClassLabels.Index()) Count(label, predictions[row]);
        }
        else
        {
            var (has, said) = (rows.HasLabel, rows.PredictedLabels);
            for (var i = 0; i < has.Length; i++) Count(has[i] ? i % rows.Columns : -1, said[i] ? i % rows.Columns : -1);
        }
        var drawn = Bootstrap.OfClasses(rows, MetricFigure.Draws(rows, resamples), seed);
        return [.. names.Select((name, column) => new ClassFigure(name, actual[column], predicted[column], both[column], ClassScores.FromCounts(both[column], predicted[column], actual[column]),
            WilsonInterval.Of(both[column], predicted[column]), WilsonInterval.Of(both[column], actual[column]), drawn.Classes[column].F1))];

        void Count(int label, int prediction)
        {
            if (label >= 0) actual[label]++;
            if (prediction >= 0) predicted[prediction]++;
            if (label >= 0 && label == prediction) both[label]++;
        }
    }

    /// <summary>A dash where there is no row to say anything by.</summary>
    private static string Said(long rows, Interval interval) => rows == 0 ? Figures.Unknown : Figures.Interval(interval.Low, interval.High);
}
