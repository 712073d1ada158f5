using System.Globalization;
using Attune.Models;

namespace Attune.Training;

/// <summary>What <c>tune</c> names: the part of the model that is trained.</summary>
internal static class TunedPart
{
    /// <summary>An adapter of low rank, with which the model is made.</summary>
    internal const string Lora = "lora";

    private const string Full = "full", Head = "head", BitFit = "bitfit", LayersPrefix = "layers:";

    /// <summary>Refuses what is no value of <c>tune</c>, or contradicts <c>freeze</c>.</summary>
    /// <exception cref="AttuneException">It is.</exception>
    internal static void Check(TrainingArguments args)
    {
        if (args.Tune is not { } tune) return;
        if (tune is not (Full or Head or BitFit or Lora) && Layers(tune) is null)
            throw new AttuneException($"tune is {tune}; it must be {Full}, {Head}, {BitFit}, {Lora} or {LayersPrefix}N with N of at least 1 (the top N layers).");
        if (tune != Lora && args.LoraR is not null)
            throw new AttuneException($"tune is {tune}, but lora_r asks for an adapter; leave one of them out.");
        if (FrozenPart.Parse(args.Freeze) is not null)
            throw new AttuneException($"tune is {tune} and freeze is {args.Freeze}, but both say what is trained; give one of them.");
    }

    /// <summary>Takes the other weights out of training.</summary>
    /// <returns>What was done, for the user; null where nothing was.</returns>
    /// <exception cref="AttuneException">The model has fewer layers.</exception>
    internal static string? Apply(string? tune, PreTrainedModel model)
    {
        var all = model.Config.NumHiddenLayers;
        switch (tune)
        {
            case null or Full or Lora: return null;
            case Head: return new FrozenPart(null, WithPooler: true).Apply(model);
            case BitFit:
                foreach (var weight in model.Weights.All.Where(weight => IsOfEncoder(weight, model)))
                    if (!weight.Name.EndsWith(".bias", StringComparison.Ordinal)) weight.RequiresGrad = false;
                var trained = model.Weights.All.Where(weight => weight.RequiresGrad).Sum(weight => weight.NumberOfElements);
                return string.Create(CultureInfo.InvariantCulture, $"Frozen: all of the encoder but its biases; {trained:N0} of {model.ParameterCount:N0} weights are trained.");
        }
        var top = Layers(tune)!.Value;
        if (top > all) throw new AttuneException($"tune is {tune}, but the model has {all} layers; give {LayersPrefix}{all} at most, or {Full}.");
        return new FrozenPart(all - top).Apply(model);
    }

    /// <summary>Whether a weight is not of the head.</summary>
    internal static bool IsOfEncoder(Weight weight, PreTrainedModel model) => weight.Name.StartsWith(model.EncoderPrefix, StringComparison.Ordinal);

    private static int? Layers(string tune) => tune.StartsWith(LayersPrefix, StringComparison.Ordinal) &&
        int.TryParse(tune.AsSpan(LayersPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var layers) && layers > 0 ? layers : null;
}
