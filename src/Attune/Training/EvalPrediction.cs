using Attune.Batching;

namespace Attune.Training;

/// <summary>What a model says of a data set, for <c>compute_metrics</c>.</summary>
/// <param name="Logits">(rows, columns), row by row, in the order of the data set.</param>
/// <param name="Columns">Number of classes, or of numbers in a regression.</param>
/// <param name="Labels">What the rows should come out as.</param>
public sealed record EvalPrediction(float[] Logits, int Columns, Labels Labels)
{
    /// <summary>Number of rows.</summary>
    public int Rows => Labels.Rows;
}
