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
    /// <summary>Its family, by the name in config.json; null in the record of a run before there were several.</summary>
    internal string? ModelType { get; init; }

    /// <summary>What it is, in brackets behind a word for it: its family, layers and size.</summary>
    internal string Shape => $"{(ModelType is null ? "" : ModelType + ", ")}{Layers} layers of {HiddenSize}";

    internal JsonObject ToJson() => new()
    {
        ["from"] = From,
        ["commit"] = Commit,
        ["model_type"] = ModelType,
        ["parameters"] = Parameters,
        ["layers"] = Layers,
        ["hidden_size"] = HiddenSize,
        ["max_length"] = MaxLength,
        ["is_adapter"] = IsAdapter,
        ["adapter_of"] = AdapterOf,
    };

    internal static ModelRecord Read(JsonObject json) => new(
        (string)json["from"]!, (string?)json["commit"], (long)json["parameters"]!, (int)json["layers"]!, (int)json["hidden_size"]!, (int)json["max_length"]!,
        (bool)json["is_adapter"]!, (string?)json["adapter_of"]) { ModelType = (string?)json["model_type"] };
}
