namespace Attune.Models;

/// <summary>Which loss of its problem type a classifier learns by. What is not set is the plain loss of transformers.</summary>
/// <remarks>docs/losses.md has the formulas. A setting of another problem type is not looked at.</remarks>
public sealed record LossOptions
{
    /// <summary>The plain losses: cross-entropy, binary cross-entropy, mean squared error.</summary>
    public static LossOptions Default { get; } = new();

    /// <summary>Share of the target's probability that is spread over all classes, as <c>torch.nn.CrossEntropyLoss(label_smoothing)</c>; one class a row.</summary>
    /// <value>0 to below 1. Default 0.</value>
    public double LabelSmoothing { get; init; }

    /// <summary>Weight of each class, as <c>torch.nn.CrossEntropyLoss(weight)</c>: the mean over rows counts each by the weight of its class; one class a row.</summary>
    /// <value>One number of at least 0 for each class. Default null: 1 each.</value>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Weight of the positive label of each class, as <c>torch.nn.BCEWithLogitsLoss(pos_weight)</c>; several classes a row.</summary>
    /// <value>One number of at least 0 for each class. Default null: 1 each.</value>
    public IReadOnlyList<double>? PositiveWeights { get; init; }

    /// <summary>Exponent of the focal loss: (1 - p)^gamma stands before the logarithm of each probability p (Lin et al. 2017); for classes, one or several a row.</summary>
    /// <value>At least 0. Default 0: no such factor.</value>
    public double FocalGamma { get; init; }

    /// <summary>How far a number is off; regression.</summary>
    /// <value>Default <see cref="RegressionLoss.Mse"/>.</value>
    public RegressionLoss RegressionLoss { get; init; }

    /// <summary>Error from which <see cref="RegressionLoss.Huber"/> grows no faster than the error itself.</summary>
    /// <value>Above 0, in the unit of the numbers. Default 1.</value>
    public double HuberDelta { get; init; } = 1;
}
