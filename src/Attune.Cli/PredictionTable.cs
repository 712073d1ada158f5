using System.Globalization;
using System.Text;
using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>predict_results.txt</c> of transformers' scripts: a line for each row with its number and what was predicted.</summary>
internal static class PredictionTable
{
    /// <param name="predictions">The rows.</param>
    /// <param name="source">Names of the classes.</param>
    /// <param name="thresholds">From which probability on each of several labels counts; null for 0.5.</param>
    internal static string Of(PredictionOutput predictions, DataSource source, IReadOnlyList<double>? thresholds = null)
    {
        var (logits, columns) = (predictions.Logits, predictions.Columns);
        var classes = Probabilities.ArgMax<float>(logits, columns);
        var text = new StringBuilder("index\tprediction\n");
        for (var row = 0; row < classes.Length; row++)
            text.Append(CultureInfo.InvariantCulture, $"{row}\t{Prediction(logits.AsSpan(row * columns, columns), classes[row], source, thresholds)}\n");
        return text.ToString();
    }

    private static string Prediction(ReadOnlySpan<float> logits, int best, DataSource source, IReadOnlyList<double>? thresholds)
    {
        if (source.Columns.Task == TaskKind.Regression) return logits[0].ToString("0.000", CultureInfo.InvariantCulture);
        if (source.Columns.Task == TaskKind.SingleLabel) return source.ModelLabels[best];
        var names = new List<string>();
        for (var i = 0; i < logits.Length; i++)
            if (thresholds is null ? logits[i] > 0 : Probabilities.Sigmoid([logits[i]])[0] >= thresholds[i]) names.Add($"'{source.ModelLabels[i]}'");
        return $"[{string.Join(", ", names)}]";
    }
}
