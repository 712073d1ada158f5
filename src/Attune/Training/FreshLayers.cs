using Attune.Models;

namespace Attune.Training;

/// <summary>
/// What <c>reinit_layers</c> draws anew: the pooler and the top layers (Zhang et al., "Revisiting few-sample BERT fine-tuning", 2021, section 5).
/// </summary>
internal static class FreshLayers
{
    /// <summary>Draws them as a new model of the seed has them.</summary>
    /// <returns>What was done, for the user; null where nothing was.</returns>
    /// <exception cref="AttuneException">The model has fewer layers, or one that is drawn anew would not be trained.</exception>
    internal static string? Draw(TrainingArguments args, PreTrainedModel model)
    {
        if (args.ReinitLayers == 0) return null;
        var (all, prefix) = (model.Config.NumHiddenLayers, model.EncoderPrefix);
        if (args.ReinitLayers > all) throw new AttuneException($"reinit_layers is {args.ReinitLayers}, but the model has {all} layers; give {all} at most.");
        string[] names = [$"{prefix}pooler.", .. Enumerable.Range(all - args.ReinitLayers, args.ReinitLayers).Select(i => $"{prefix}encoder.layer.{i}.")];
        if (model.Weights.All.FirstOrDefault(weight => IsDrawn(weight) && !weight.RequiresGrad) is { } frozen)
            throw new AttuneException(
                $"reinit_layers is {args.ReinitLayers}, but {frozen.Name} is not trained, so it would stay random; lower reinit_layers, or change freeze or tune.");
        model.Initialize(unchecked((ulong)args.Seed), IsDrawn);
        return $"Drawn anew: the pooler and the top {args.ReinitLayers} of {all} layers.";

        bool IsDrawn(Weight weight) => Array.Exists(names, name => weight.Name.StartsWith(name, StringComparison.Ordinal));
    }
}
