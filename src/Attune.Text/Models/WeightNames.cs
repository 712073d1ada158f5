namespace Attune.Models;

/// <summary>Names of weights in files of different ages and of different parts of a model.</summary>
internal static class WeightNames
{
    private static readonly string[] PretrainingHeads =
    [
        "cls.", "lm_head.", "discriminator_predictions.", "generator.", "generator_predictions.", "generator_lm_head.", "vocab_transform.", "vocab_layer_norm.",
        "vocab_projector.", "predictions.", "sop_classifier.", "lm_predictions.", "mask_predictions.", "decoder.",
    ];

    /// <summary>Whether a weight that a model lacks is of a head of pretraining, in any family, or of a pooler that the family's classifier does without.</summary>
    /// <param name="name">As a model would have it.</param>
    /// <param name="prefix">Of the encoder's weights.</param>
    internal static bool IsOfPretraining(string name, string prefix) =>
        Array.Exists(PretrainingHeads, head => name.StartsWith(head, StringComparison.Ordinal)) || name.StartsWith(prefix + "pooler.", StringComparison.Ordinal);

    /// <summary>The name that transformers gives today to what older files call gamma and beta.</summary>
    internal static string Modern(string name)
    {
        if (name.EndsWith(".gamma", StringComparison.Ordinal)) return name[..^".gamma".Length] + ".weight";
        return name.EndsWith(".beta", StringComparison.Ordinal) ? name[..^".beta".Length] + ".bias" : name;
    }

    /// <summary>The same for the encoder's weights with the prefix that they have in a model, whatever they have in the file.</summary>
    /// <param name="name">In the file.</param>
    /// <param name="own">That of the family, such as "bert.".</param>
    /// <param name="prefix">What the names begin with in the model: the same, or nothing for a bare encoder.</param>
    /// <param name="isThere">Whether the model has a weight of a name.</param>
    internal static string InModel(string name, string own, string prefix, Func<string, bool> isThere)
    {
        name = Modern(name);
        if (name.StartsWith(own, StringComparison.Ordinal)) return prefix + name[own.Length..];
        return !isThere(name) && isThere(prefix + name) ? prefix + name : name;
    }
}
