using System.Text.Json.Nodes;

namespace Attune.Cli.Reports;

/// <summary>The model of a run.</summary>
/// <param name="From">What it began with: a name, or a folder.</param>
/// <param name="Commit">Of the hub; or null.</param>
/// <param name="Parameters">Number of its weights.</param>
/// <param name="Layers">Of the encoder.</param>
/// <param name="HiddenSize">Numbers for each token.</param>
/// <param name="MaxLength">Longest row in tokens.</param>
/// <param name="IsAdapter">Whether the folder holds an adapter and not the whole model.</param>
/// <param name="AdapterOf">Name of the model that an adapter belongs to; or null.</param>
internal sealed record ModelRecord(string From, string? Commit, long Parameters, int Layers, int HiddenSize, int MaxLength, bool IsAdapter, string? AdapterOf)
{
    /// <summary>Its family, as config.json has it; null in records of versions that knew one only.</summary>
    internal string? ModelType { get; init; }

    /// <summary>What it is, in words.</summary>
    internal string Described => $"{(ModelType is ['a' or 'e', ..] ? "An" : "A")} {ModelType ?? "bert"} text classifier ({Layers} layers of {HiddenSize}, {Pages.Figures.Count(Parameters)} weights)";

    internal JsonObject ToJson() => new()
    {
        ["from"] = From,
        ["model_type"] = ModelType,
        ["commit"] = Commit,
        ["parameters"] = Parameters,
        ["layers"] = Layers,
        ["hidden_size"] = HiddenSize,
        ["max_length"] = MaxLength,
        ["is_adapter"] = IsAdapter,
        ["adapter_of"] = AdapterOf,
    };

    internal static ModelRecord Read(JsonObject json) => new(
        (string)json["from"]!, (string?)json["commit"], (long)json["parameters"]!, (int)json["layers"]!, (int)json["hidden_size"]!, (int)json["max_length"]!,
        (bool)json["is_adapter"]!, (string?)json["adapter_of"])
    { ModelType = (string?)json["model_type"] };
}
