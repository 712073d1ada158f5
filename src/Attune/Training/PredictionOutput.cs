using Attune.Batching;
using Attune.Metrics;

namespace Attune.Training;

/// <summary>What <see cref="Trainer.Predict"/> gives.</summary>
/// <param name="Logits">(texts, columns), row by row, in the order of the data set. Of a text in windows they are pooled.</param>
/// <param name="Columns">Number of classes, or of numbers in a regression.</param>
/// <param name="Labels">The labels of the texts, or null.</param>
/// <param name="Metrics">Loss and metrics where there are labels, and the speed.</param>
public sealed record PredictionOutput(float[] Logits, int Columns, Labels? Labels, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>The same as the metrics see it; null without labels.</summary>
    internal EvalPrediction? Prediction { get; init; }
}
