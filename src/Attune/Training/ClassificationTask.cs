using Attune.Batching;
using Attune.Metrics;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>Learning to say of rows what their labels say.</summary>
/// <param name="model">The classifier.</param>
/// <param name="computeMetrics">From logits and labels of an evaluation to named numbers; null leaves it at the loss.</param>
/// <param name="computeLoss">A loss in place of the built-in one; null for that.</param>
internal sealed class ClassificationTask(
    SequenceClassificationModel model, Func<EvalPrediction, IReadOnlyDictionary<string, double>>? computeMetrics = null, Func<Tensor, Labels, Tensor>? computeLoss = null)
    : TrainingTask(model)
{
    private Objective? _objective;

    /// <summary>The loss of the run.</summary>
    internal Objective Objective => _objective ?? throw new InvalidOperationException("the task has not begun");

    internal override int Passes => Objective.Passes;

    /// <summary>Smoothing is for one class a row.</summary>
    internal override TrainingArguments Adapt(TrainingArguments args, TokenizedDataset? data, Action<string> notice)
    {
        if (args.LabelSmoothingFactor == 0 || data?.Labels is not { } labels) return args;
        if (model.Config.ProblemTypeFor(labels) == ProblemType.SingleLabelClassification) return args;
        notice("label_smoothing_factor has no effect: it is for one class a row.");
        return args with { LabelSmoothingFactor = 0 };
    }

    internal override void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice)
    {
        if (computeLoss is not null) LossArguments.RequireNone(args);
        var loss = LossArguments.Read(args, model, train?.Labels, (train ?? eval)?.Labels, notice);
        _objective = new Objective(model, loss, computeLoss, args.RDropAlpha);
    }

    internal override void RequireTrainable(TokenizedDataset train)
    {
        if (train.Labels is null) throw new AttuneException("The training set has no labels to learn; name its label column.");
    }

    internal override void RequireEvaluable(TokenizedDataset data, TrainingArguments args)
    {
        base.RequireEvaluable(data, args);
        if ((long)data.Count * model.Config.NumLabels > Array.MaxLength)
            throw new AttuneException($"The evaluation set has {data.Count} rows, too many to hold the logits of {model.Config.NumLabels} classes each; evaluate it in parts.");
    }

    internal override RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, RowShares shares, Action<string> notice)
    {
        BatchGradient.Check(args, model, notice);
        return new BatchGradient(model, train, Objective, frozen, args.FgmEpsilon, shares);
    }

    internal override PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation)
    {
        RequireEvaluable(data, trainer.Args);
        var loop = new EvaluationLoop(model, trainer.Args, trainer.Callbacks, Objective, computeMetrics)
        {
            Frozen = trainer.Frozen,
            Averaged = trainer.Averaged,
            Pooling = trainer.WindowPooling,
            Processes = trainer.Processes,
        };
        return loop.Run(data, prefix, trainer.State, cancellation);
    }

    internal override MicroBatches.RowBytes Measure(TokenizedRow row) => MicroBatches.RowBytes.Measure(model, row);

    internal override (IReadOnlyList<string> Lines, string Found) SearchOverflow(TokenizedDataset data, int[] rows, MicroBatches cuts) =>
        OverflowSearch.Of(model, data, rows, cuts);

    internal override void Save(string folder, TrainingArguments args)
    {
        if (args.MergeAdapter) MergedAdapter.Save(model, folder);
        else base.Save(folder, args);
    }
}
