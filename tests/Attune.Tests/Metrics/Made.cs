using Attune.Metrics;

namespace Attune.Tests.Metrics;

/// <summary>Predictions made by a formula, which other programs were given too.</summary>
internal static class Made
{
    /// <summary>Logits 4 sin(1.7 row + 2.3 column² + 0.5); two rows of three are labelled with their highest, the third with row / 3 modulo the classes.</summary>
    internal static EvalPrediction OneClassARow(int rows, int classes)
    {
        var logits = Logits(rows, classes);
        var highest = Probabilities.ArgMax<float>(logits, classes);
        return new EvalPrediction(logits, rows, classes, [.. Enumerable.Range(0, rows).Select(row => (float)(row % 3 != 0 ? highest[row] : row / 3 % classes))]);
    }

    /// <summary>A row has a label where (5 row + 3 column) modulo 7 is below 3; the logits have that sign, and the other where row + column divides by 4.</summary>
    internal static EvalPrediction SeveralLabels(int rows, int columns)
    {
        var logits = Logits(rows, columns);
        var labels = new float[logits.Length];
        for (var i = 0; i < logits.Length; i++)
        {
            var (row, column) = (i / columns, i % columns);
            labels[i] = (5 * row + 3 * column) % 7 < 3 ? 1 : 0;
            logits[i] = Math.Abs(logits[i]) * (labels[i] > 0 == ((row + column) % 4 != 0) ? 1 : -1);
        }
        return new EvalPrediction(logits, rows, columns, labels, TaskKind.MultiLabel);
    }

    private static float[] Logits(int rows, int columns) =>
        [.. Enumerable.Range(0, rows * columns).Select(i => (float)(4 * Math.Sin(1.7 * (i / columns) + 2.3 * (i % columns) * (i % columns) + 0.5)))];
}
