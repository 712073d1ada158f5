namespace Attune.Training;

/// <summary>What one optimizer update gave.</summary>
/// <param name="Losses">Loss of each of its batches, times its share (divided by their number; of batches made by tokens by the rows): the sum is the update's loss.</param>
/// <param name="Rows">Rows of each batch, by their numbers in the training set.</param>
/// <param name="Tokens">Tokens of all batches, without padding.</param>
/// <param name="GradNorm">Length of the gradient before clipping; null where it is not clipped.</param>
/// <param name="LearningRate">The rate used.</param>
/// <remarks>A graphics card may still compute losses and length when the update is handed on: whoever asks for them waits for it.</remarks>
public sealed record StepResult(
    IReadOnlyList<double> Losses, IReadOnlyList<IReadOnlyList<int>> Rows, long Tokens, double? GradNorm, double LearningRate)
{
    /// <summary>Length of the gradient before clipping; null where it is not clipped.</summary>
    public double? GradNorm { get => Late is null ? field : Late.GradNorm; init; } = GradNorm;

    /// <summary>Whether losses and length are known: a device may still compute them, and whoever asks waits.</summary>
    internal bool AreKnown => Late is not { IsKnown: false };

    /// <summary>What a device still computes; null where all is known.</summary>
    internal LateUpdate? Late { get; init; }

    /// <summary>Mean of the batches' losses.</summary>
    public double Loss => Losses.Sum();
}
