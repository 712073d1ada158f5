namespace Attune.Models;

/// <summary>The losses of a regression, each the mean over all numbers.</summary>
public enum RegressionLoss
{
    /// <summary><c>mse</c>: the squared error.</summary>
    Mse,

    /// <summary><c>mae</c>: the error without its sign, as <c>torch.nn.L1Loss</c>.</summary>
    Mae,

    /// <summary><c>huber</c>: half the squared error, but linear for large ones, as <c>torch.nn.HuberLoss</c>.</summary>
    Huber,
}
