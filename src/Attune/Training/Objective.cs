using Attune.Batching;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>What a run learns by: from logits and labels to the loss and its gradients. Training and evaluation ask the same one.</summary>
/// <param name="model">Says what is learned from labels.</param>
/// <param name="options">Which loss.</param>
/// <param name="own">A loss in its place: from logits (rows, columns) and labels to one number. Null for none.</param>
/// <param name="rDropAlpha">As <c>r_drop_alpha</c>.</param>
internal sealed class Objective(SequenceClassificationModel model, LossOptions options, Func<Tensor, Labels, Tensor>? own = null, double rDropAlpha = 0)
{
    /// <summary>How often a batch goes through the model before its loss is known.</summary>
    internal int Passes => rDropAlpha > 0 ? 2 : 1;

    /// <summary>Whether the loss of a batch is a sum over its rows, so that parts of it can be computed one after the other.</summary>
    internal bool IsSumOfRows => own is null;

    /// <summary>The sum of the weights with which rows count in the mean.</summary>
    internal double Weight(Labels labels) => ClassificationLoss.Weight(labels, model.ProblemOf(labels), options);

    /// <summary>Whether some rows have anything to say to the loss.</summary>
    internal bool Counts(Labels labels) => ClassificationLoss.Counts(labels, model.ProblemOf(labels));

    /// <summary>Whether the classes of all these rows have the weight 0, so that their mean would be 0 / 0.</summary>
    internal bool WeighsNothing(Labels labels) => options.ClassWeights is not null && Weight(labels) == 0;

    /// <summary>The loss of a batch, or of a part of it, in training.</summary>
    /// <param name="passes">The logits of each pass, (rows, columns).</param>
    /// <param name="labels">Of the rows.</param>
    /// <param name="total"><see cref="Weight"/> of the whole batch.</param>
    /// <param name="gradients">Receives the gradient of each pass's logits.</param>
    /// <exception cref="AttuneException">The labels do not fit the model, or the loss of one's own is no single number.</exception>
    internal double Loss(float[][] passes, Labels labels, double total, out float[][] gradients)
    {
        gradients = Array.ConvertAll(passes, logits => new float[logits.Length]);
        var loss = 0.0;
        for (var pass = 0; pass < passes.Length; pass++) loss += Loss(passes[pass], labels, total, gradients[pass]);
        if (passes.Length == 1) return loss;
        foreach (var gradient in gradients)
            for (var i = 0; i < gradient.Length; i++) gradient[i] /= 2;
        var problem = model.ProblemOf(labels);
        return loss / 2 + rDropAlpha * ConsistencyLoss.Add(passes[0], passes[1], model.Config.NumLabels, problem,
            ClassificationLoss.RowWeights(labels, problem, options), total, rDropAlpha, gradients[0], gradients[1]);
    }

    /// <summary>The loss of a batch, or of a part of it, in training, where the device has the logits and can compute it; else null.</summary>
    /// <param name="logits">With the way back.</param>
    /// <param name="labels">Of the rows.</param>
    /// <param name="total"><see cref="Weight"/> of the whole batch.</param>
    /// <exception cref="AttuneException">The labels do not fit the model.</exception>
    internal Tensor? LossOnDevice(Tensor? logits, Labels labels, double total)
    {
        if (logits is null || own is not null || Passes > 1 || !DeviceLoss.Has(options)) return null;
        using var scope = NewDisposeScope();
        return DeviceLoss.Of(logits, labels, model.ProblemOf(labels), options, total).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of rows in evaluation: as in training, without what only regularises.</summary>
    internal double Evaluate(float[] logits, Labels labels)
    {
        if (own is null) return Loss(logits, labels, Weight(labels), new float[logits.Length]);
        using var scope = NewDisposeScope();
        using var still = no_grad();
        return Number(own(Shaped(logits, needsGradient: false), labels));
    }

    /// <summary>With which weight the loss of some rows counts in the mean over an evaluation: by their number as in transformers, or by their classes' weights.</summary>
    internal double EvaluationWeight(Labels labels) => options.ClassWeights is null ? labels.Rows : Weight(labels);

    private double Loss(float[] logits, Labels labels, double total, float[] gradient)
    {
        if (own is null) return ClassificationLoss.Compute(logits, model.Config.NumLabels, labels, model.ProblemOf(labels), options, total, gradient);
        using var scope = NewDisposeScope();
        using var learning = enable_grad();
        var leaf = Shaped(logits, needsGradient: true);
        var loss = own(leaf, labels);
        var value = Number(loss);
        if (loss.requires_grad) loss.backward();
        var slope = leaf.grad ?? throw new AttuneException(
            "The loss given to the Trainer does not depend on the logits, so nothing can be learned from it; compute it from the tensor that it is given.");
        slope.contiguous().data<float>().CopyTo(gradient);
        return value;
    }

    private Tensor Shaped(float[] logits, bool needsGradient)
    {
        var columns = model.Config.NumLabels;
        return tensor(logits, [logits.Length / columns, columns], requires_grad: needsGradient);
    }

    private static double Number(Tensor loss) => loss.numel() == 1 ? loss.detach().to(ScalarType.Float64).item<double>()
        : throw new AttuneException($"The loss given to the Trainer has the shape ({string.Join(", ", loss.shape)}); it must be one number, such as the mean over the rows.");
}
