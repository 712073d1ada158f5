namespace Attune.Models;

/// <summary>What became of the weights of a model folder.</summary>
public sealed record LoadReport
{
    /// <summary>File or folder that was read; null where there were no weights.</summary>
    public string? Source { get; init; }

    /// <summary>Weights that the folder does not have and that were drawn anew.</summary>
    public IReadOnlyList<string> New { get; init; } = [];

    /// <summary>Weights whose shape differs, drawn anew: name, shape in the folder, shape of the model.</summary>
    public IReadOnlyList<string> Resized { get; init; } = [];

    /// <summary>Weights of the folder that this model does not have, other than those of pretraining heads.</summary>
    public IReadOnlyList<string> Unexpected { get; init; } = [];

    /// <summary>Weights of the folder that belong to a head of pretraining or to a pooler, and that this model has no use for.</summary>
    public IReadOnlyList<string> OfPretraining { get; init; } = [];

    /// <summary>Names of the weights that were drawn while the others were read: the new, the resized, and what <c>reinit_layers</c> draws since.</summary>
    internal IReadOnlySet<string> Drawn { get; init; } = new HashSet<string>();

    /// <summary>One sentence; empty where everything was found.</summary>
    /// <param name="shown">How many weights of each kind are named. Default 6.</param>
    public string Describe(int shown = 6)
    {
        if (Source is null) return "The model folder has no weights: training starts from random ones.";
        List<string> parts = [];
        if (New.Count > 0) parts.Add($"new, to be trained: {List(New, shown)}");
        if (Resized.Count > 0) parts.Add($"of another size, so new: {List(Resized, shown)}");
        if (Unexpected.Count > 0) parts.Add($"not used: {List(Unexpected, shown)}");
        return parts.Count == 0 ? "" : $"Weights of {Source}: {string.Join("; ", parts)}.";
    }

    /// <summary>The same where other files had some of the weights.</summary>
    internal LoadReport Without(IReadOnlySet<Weight> found)
    {
        var names = found.Select(weight => weight.Name).ToHashSet();
        return this with
        {
            New = [.. New.Where(name => !names.Contains(name))],
            Resized = [.. Resized.Where(line => !names.Any(name => line.StartsWith(name + " ", StringComparison.Ordinal)))],
            Drawn = Drawn.Where(name => !names.Contains(name)).ToHashSet(),
        };
    }

    private static string List(IReadOnlyList<string> names, int shown) =>
        string.Join(", ", names.Take(shown)) + (names.Count > shown ? $" and {names.Count - shown} more" : "");
}
