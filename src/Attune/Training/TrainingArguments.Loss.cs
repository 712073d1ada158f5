using Attune.Models;

namespace Attune.Training;

// What is learned: the loss. docs/losses.md has the formulas.
public sealed partial record TrainingArguments
{
    /// <summary>Weights of the classes in the cross-entropy, for one class a row: the mean over rows counts each by the weight of its class, as torch.nn.CrossEntropyLoss(weight).</summary>
    /// <value>
    /// balanced (rows / (classes x rows of the class), of the training rows, as scikit-learn; 1 for a class without rows), names and weights such as negative=1,positive=3, or a JSON
    /// object of them or a file with one; a class that is not named weighs 1. Default null: 1 each. Not in transformers.
    /// </value>
    [ArgumentMayBeObject]
    public string? ClassWeights { get; init; }

    /// <summary>Weights of the positive label of each class in the binary cross-entropy, for several classes a row, as torch.nn.BCEWithLogitsLoss(pos_weight).</summary>
    /// <value>balanced (rows without the class / rows with it; 1 for one that no row has), or names and weights as <see cref="ClassWeights"/>. Default null: 1 each. Not in transformers.</value>
    [ArgumentMayBeObject]
    public string? PosWeights { get; init; }

    /// <summary>Exponent of the focal loss, for one class a row or several: the logarithm of a probability p counts (1 - p)^gamma times, so that rows that are learned already count little.</summary>
    /// <value>At least 0; 2 is usual. Default 0: the plain loss. Not in transformers.</value>
    public double FocalGamma { get; init; }

    /// <summary>The loss of a regression: the mean of the squared error, of its size, or of the Huber loss, which grows no faster than the error where that is large.</summary>
    /// <value>mse, mae or huber. Default mse. Not in transformers.</value>
    public RegressionLoss RegressionLoss { get; init; }

    /// <summary>Error from which the Huber loss is linear.</summary>
    /// <value>Above 0, in the unit of the labels. Default 1. Without effect unless <see cref="RegressionLoss"/> is huber. Not in transformers.</value>
    public double HuberDelta { get; init; } = 1;
}
