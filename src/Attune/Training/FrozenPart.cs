using System.Globalization;
using Attune.Models;

namespace Attune.Training;

/// <summary>What <c>freeze</c> names: the lower end of the model, from the embeddings up to some place.</summary>
/// <param name="Layers">How many layers, counted from the embeddings; null for all.</param>
/// <param name="WithPooler">Whether the pooler too.</param>
internal sealed record FrozenPart(int? Layers, bool WithPooler = false)
{
    private const string LayersPrefix = "layers:";

    /// <summary>Reads the value of <c>freeze</c>.</summary>
    /// <returns>Null where nothing is frozen.</returns>
    /// <exception cref="AttuneException">It is no such value.</exception>
    internal static FrozenPart? Parse(string? text) => text switch
    {
        null or "none" or "" => null,
        "embeddings" => new(0),
        "encoder" => new((int?)null),
        "base_model" => new(null, WithPooler: true),
        _ when text.StartsWith(LayersPrefix, StringComparison.Ordinal) &&
            int.TryParse(text.AsSpan(LayersPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var layers) && layers > 0 => new(layers),
        _ => throw new AttuneException(
            $"freeze is {text}; it must be none, embeddings, layers:N with N of at least 1 (the embeddings and the lowest N layers), encoder or base_model."),
    };

    /// <summary>Takes these weights out of training.</summary>
    /// <returns>What was done, for the user.</returns>
    /// <exception cref="AttuneException">The model has fewer layers.</exception>
    internal string Apply(PreTrainedModel model)
    {
        var all = model.Config.NumHiddenLayers;
        if (Layers > all)
            throw new AttuneException($"freeze is {LayersPrefix}{Layers}, but the model has {all} layers; give {LayersPrefix}{all} at most, or encoder.");
        var parts = model.Encoder.Parts;
        var frozen = parts.Take(1 + (Layers ?? all)).SelectMany(part => part).ToHashSet();
        if (parts.Skip(1 + (Layers ?? all)).Any(part => part.Any(frozen.Contains)))
            throw new AttuneException($"freeze is {LayersPrefix}{Layers}, but layers above share their weights with those; give embeddings or encoder.");
        foreach (var weight in model.Weights.All)
            if (frozen.Contains(weight) || WithPooler && TunedPart.IsOfEncoder(weight, model)) weight.RequiresGrad = false;
        var trained = model.Weights.All.Where(weight => weight.RequiresGrad).Sum(weight => weight.NumberOfElements);
        var what = WithPooler ? "embeddings, layers and pooler" : Layers switch
        {
            0 => "embeddings",
            { } some when some < all => $"embeddings and the lowest {some} of {all} layers",
            _ => "embeddings and layers",
        };
        return string.Create(CultureInfo.InvariantCulture, $"Frozen: {what}; {trained:N0} of {model.ParameterCount:N0} weights are trained.");
    }
}
