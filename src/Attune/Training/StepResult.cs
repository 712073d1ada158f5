namespace Attune.Training;

/// <summary>What one optimizer update gave.</summary>
/// <param name="Losses">Loss of each of its batches, times its share (divided by their number; of batches made by tokens by the rows): the sum is the update's loss.</param>
/// <param name="Rows">Rows of each batch, by their numbers in the training set.</param>
/// <param name="Tokens">Tokens of all batches, without padding.</param>
/// <param name="GradNorm">Length of the gradient before clipping; null where it is not clipped.</param>
/// <param name="LearningRate">The rate used.</param>
public sealed record StepResult(
    IReadOnlyList<double> Losses, IReadOnlyList<IReadOnlyList<int>> Rows, long Tokens, double? GradNorm, double LearningRate)
{
    /// <summary>Mean of the batches' losses.</summary>
    public double Loss => Losses.Sum();
}
