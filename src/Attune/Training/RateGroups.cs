using Attune.Models;

namespace Attune.Training;

/// <summary>Which part of the learning rate each weight has: <c>layer_lr_decay</c> and <c>head_learning_rate</c>.</summary>
internal static class RateGroups
{
    /// <summary>By what the rate is multiplied for a weight; null where it is 1 for all.</summary>
    internal static Func<Weight, double>? Of(TrainingArguments args, PreTrainedModel model)
    {
        if (args.LayerLrDecay == 1 && args.HeadLearningRate is null) return null;
        var head = args.HeadLearningRate is { } rate ? rate / args.LearningRate : 1;
        return weight => TunedPart.IsOfEncoder(weight, model) ? Math.Pow(args.LayerLrDecay, Below(weight, model)) : head;
    }

    /// <summary>
    /// How many layers a weight lies below the top one: 0 for that and for the pooler, the number of layers for the embeddings. One that several layers share
    /// is of the highest.
    /// </summary>
    private static int Below(Weight weight, PreTrainedModel model)
    {
        var part = model.Encoder.LastPartWith(weight);
        return part < 0 ? 0 : model.Config.NumHiddenLayers - part;
    }
}
