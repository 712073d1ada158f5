using Attune.Formats;

namespace Attune.Models;

/// <summary>Fills a model from the weights of a folder in Hugging Face's layout.</summary>
internal static class WeightLoading
{
    /// <summary>Loads what the folder has, draws the rest anew.</summary>
    /// <param name="model">Its weights are overwritten.</param>
    /// <param name="folder">With model.safetensors, sharded or not, or pytorch_model.bin; or without weights.</param>
    /// <param name="seed">Of the weights that are drawn.</param>
    /// <exception cref="AttuneException">A file is damaged, or the encoder's weights are missing, of another shape or not finite.</exception>
    internal static LoadReport Load(PreTrainedModel model, string folder, ulong seed)
    {
        using var file = WeightFiles.Open(folder);
        if (file is null)
        {
            model.Initialize(seed);
            return new LoadReport();
        }

        var own = model.Weights.All.Where(weight => !weight.IsAdapter).ToList();
        var found = new Dictionary<string, WeightEntry>();
        List<string> unexpected = [], pretraining = [], resized = [], wrong = [];
        foreach (var entry in file.Entries)
        {
            var name = WeightNames.InModel(entry.Name, model.FamilyPrefix, model.EncoderPrefix, isThere: known => model.Weights.TryGet(known, out _));
            if (model.Weights.TryGet(name, out var weight) && !weight.IsAdapter) found[weight.Name] = entry;
            else if (WeightNames.IsOfPretraining(name, model.EncoderPrefix)) pretraining.Add(entry.Name);
            else if (!BelongsElsewhere(name, model.EncoderPrefix)) unexpected.Add(entry.Name);
        }
        foreach (var weight in own)
        {
            if (!found.TryGetValue(weight.Name, out var entry) || entry.Shape.SequenceEqual(weight.Shape)) continue;
            found.Remove(weight.Name);
            var line = $"{weight.Name} ({string.Join(",", entry.Shape)} in the folder, {string.Join(",", weight.Shape)} by its configuration)";
            (IsHead(weight, model) ? resized : wrong).Add(line);
        }
        var missing = own.Where(weight => !found.ContainsKey(weight.Name)).ToList();
        var lost = missing.Where(weight => !IsHead(weight, model)).Select(weight => weight.Name).ToList();
        if (wrong.Count > 0)
            throw new AttuneException($"{file.Path} does not fit its config.json: {string.Join("; ", wrong.Take(3))}{More(wrong, 3)}. Take both files from the same model.");
        if (lost.Count > 0)
            throw new AttuneException($"{file.Path} lacks {lost.Count} of the encoder's weights: {string.Join(", ", lost.Take(3))}{More(lost, 3)}. Is it the file of another architecture?");

        foreach (var weight in own)
        {
            if (!found.TryGetValue(weight.Name, out var entry)) continue;
            file.ReadFloats(entry, weight.Span);
            file.RequireFinite(entry, weight.Span);
        }
        model.Initialize(seed, missing.Contains);
        return new LoadReport
        {
            Source = file.Path,
            New = [.. missing.Select(weight => weight.Name).Where(name => !resized.Exists(line => line.StartsWith(name + " ", StringComparison.Ordinal)))],
            Resized = resized,
            Unexpected = unexpected,
            OfPretraining = pretraining,
            Drawn = missing.Select(weight => weight.Name).ToHashSet(),
        };
    }

    /// <summary>Writes all weights as transformers does.</summary>
    /// <param name="blocks">The weights.</param>
    /// <param name="file">The file.</param>
    internal static void Save(IReadOnlyList<WeightBlock> blocks, string file) => SafeTensors.Write(
        file, [.. blocks.SelectMany(block => block.Tensors(weight => weight.Name))], new Dictionary<string, string> { ["format"] = "pt" });

    /// <summary>Whether a folder has a linear layer.</summary>
    /// <param name="folder">As in <see cref="Load"/>.</param>
    /// <param name="layer">Its name, without what names of the encoder's weights begin with.</param>
    internal static bool Has(string folder, string layer)
    {
        using var file = WeightFiles.Open(folder);
        return file?.Entries.Any(entry => entry.Name.EndsWith(layer + ".weight", StringComparison.Ordinal)) ?? false;
    }

    /// <summary>What a checkpoint may hold besides this model without a word: tables that are no weights, the classifier of a bare encoder.</summary>
    private static bool BelongsElsewhere(string name, string prefix) =>
        name.EndsWith("embeddings.position_ids", StringComparison.Ordinal) || name.EndsWith("embeddings.token_type_ids", StringComparison.Ordinal) ||
        (prefix.Length == 0 && name.StartsWith("classifier.", StringComparison.Ordinal));

    private static bool IsHead(Weight weight, PreTrainedModel model) => model.Encoder.LastPartWith(weight) < 0;

    private static string More(List<string> all, int shown) => all.Count > shown ? $" and {all.Count - shown} more" : "";
}
