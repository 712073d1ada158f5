namespace Attune.Models;

/// <summary>Names of weights in files of different ages and of different parts of a model.</summary>
internal static class WeightNames
{
    /// <summary>The name that transformers gives today: old LayerNorm names, and the encoder's prefix as a model has it.</summary>
    /// <param name="name">In the file.</param>
    /// <param name="prefix">What the names of the encoder's weights begin with; empty for a bare encoder.</param>
    internal static string Modern(string name, string prefix)
    {
        if (name.EndsWith(".gamma", StringComparison.Ordinal)) name = name[..^".gamma".Length] + ".weight";
        else if (name.EndsWith(".beta", StringComparison.Ordinal)) name = name[..^".beta".Length] + ".bias";
        if (name.StartsWith("bert.", StringComparison.Ordinal)) return prefix + name["bert.".Length..];
        return name.Split('.')[0] is "embeddings" or "encoder" or "pooler" ? prefix + name : name;
    }
}
