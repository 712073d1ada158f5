using Attune.Models;

namespace Attune.Training;

/// <summary>
/// What <c>reinit_layers</c> draws anew: the pooler and the top layers (Zhang et al., "Revisiting few-sample BERT fine-tuning", 2021, section 5).
/// </summary>
internal static class FreshLayers
{
    /// <summary>Refuses what cannot be drawn.</summary>
    /// <exception cref="AttuneException">The model has fewer layers, or one that is drawn anew would not be trained.</exception>
    internal static void Check(TrainingArguments args, PreTrainedModel model)
    {
        if (args.ReinitLayers == 0) return;
        var all = model.Config.NumHiddenLayers;
        if (args.ReinitLayers > all) throw new AttuneException($"reinit_layers is {args.ReinitLayers}, but the model has {all} layers; give {all} at most.");
        if (model.Weights.All.FirstOrDefault(weight => !weight.RequiresGrad && IsDrawn(args, model, weight)) is { } frozen)
            throw new AttuneException(
                $"reinit_layers is {args.ReinitLayers}, but {frozen.Name} is not trained, so it would stay random; lower reinit_layers, or change freeze or tune.");
        if (model.Encoder.Parts.Take(1 + all - args.ReinitLayers).Any(part => part.Any(weight => IsDrawn(args, model, weight))))
            throw new AttuneException($"reinit_layers is {args.ReinitLayers}, but layers below share their weights with those; give {all}, or leave it out.");
    }

    /// <summary>Draws them as a new model of the seed has them. Only a run does so: who just evaluates keeps what was read.</summary>
    /// <param name="args">Checked.</param>
    /// <param name="model">As it was loaded.</param>
    /// <param name="isResumed">Whether a checkpoint will bring their values: then they are only noted as drawn.</param>
    /// <returns>What was done, for the user; null where nothing was.</returns>
    internal static string? Draw(TrainingArguments args, PreTrainedModel model, bool isResumed)
    {
        if (args.ReinitLayers == 0) return null;
        bool IsFresh(Weight weight) => IsDrawn(args, model, weight);
        model.SetDrawn(IsFresh);
        if (isResumed) return null;
        model.Draw(unchecked((ulong)args.Seed), IsFresh);
        var pooler = model.Weights.All.Any(weight => IsFresh(weight) && model.Encoder.LastPartWith(weight) < 0) ? "the pooler and " : "";
        return $"Drawn anew: {pooler}the top {args.ReinitLayers} of {model.Config.NumHiddenLayers} layers.";
    }

    private static bool IsDrawn(TrainingArguments args, PreTrainedModel model, Weight weight)
    {
        var part = model.Encoder.LastPartWith(weight);                     // the pooler is none of the encoder's, but has its prefix
        return part < 0 ? TunedPart.IsOfEncoder(weight, model) : part > model.Config.NumHiddenLayers - args.ReinitLayers;
    }
}
