using Attune.Batching;
using Attune.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

/// <summary>The losses of <see cref="ClassificationLoss"/> where the logits are, so that nobody waits for these between forward and backward.</summary>
internal static class DeviceLoss
{
    /// <summary>Whether there is an operator for it; else the loss is computed from logits that are read.</summary>
    internal static bool Has(LossOptions options) => options.FocalGamma == 0;

    /// <summary>Computes the loss, with the way back to the logits.</summary>
    /// <param name="logits">(rows, columns), float32.</param>
    /// <param name="labels">Of the rows.</param>
    /// <param name="problem">Which loss.</param>
    /// <param name="options">Which variant of it, one that there <see cref="Has"/>.</param>
    /// <param name="total">As in <see cref="ClassificationLoss.Compute"/>.</param>
    /// <returns>One number.</returns>
    /// <exception cref="AttuneException">A label is outside the classes, or the labels or weights do not fit the problem.</exception>
    internal static Tensor Of(Tensor logits, Labels labels, ProblemType problem, LossOptions options, double total)
    {
        var columns = (int)logits.shape[1];
        ClassificationLoss.RequireFit(labels, logits.NumberOfElements, columns, problem, options);
        var device = logits.device;
        return problem switch
        {
            ProblemType.SingleLabelClassification => F.cross_entropy(logits, LibTorch.Sent(tensor(((ClassLabels)labels).Values), device), Weights(options.ClassWeights), ClassLabels.Ignored,
                nn.Reduction.Sum, options.LabelSmoothing) / total,
            ProblemType.MultiLabelClassification => F.binary_cross_entropy_with_logits(logits, Targets(((MultiLabels)labels).Values), null, nn.Reduction.Sum, Weights(options.PositiveWeights))
                / (total * columns),
            _ => Error(logits, Targets(labels is ClassLabels numbers ? Array.ConvertAll(numbers.Values, number => (float)number) : ((RegressionTargets)labels).Values), options)
                / (labels is ClassLabels ? total : total * columns),
        };

        Tensor? Weights(IReadOnlyList<double>? weights) => weights is null ? null : LibTorch.Sent(tensor(weights.Select(weight => (float)weight).ToArray()), device);

        Tensor Targets(float[] values) => LibTorch.Sent(tensor(values, logits.shape), device);
    }

    private static Tensor Error(Tensor outputs, Tensor targets, LossOptions options) => options.RegressionLoss switch
    {
        RegressionLoss.Mse => F.mse_loss(outputs, targets, nn.Reduction.Sum),
        RegressionLoss.Mae => F.l1_loss(outputs, targets, nn.Reduction.Sum),
        _ => F.huber_loss(outputs, targets, options.HuberDelta, nn.Reduction.Sum),
    };
}
