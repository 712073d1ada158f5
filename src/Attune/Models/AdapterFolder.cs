using Attune.Formats;

namespace Attune.Models;

/// <summary>A folder that holds an adapter, and the folder of the model that the adapter belongs to.</summary>
/// <param name="Path">The adapter's.</param>
/// <param name="Base">The model's.</param>
/// <param name="Lora">Its configuration.</param>
internal sealed record AdapterFolder(string Path, string Base, LoraConfig Lora)
{
    /// <summary>Whether a folder holds an adapter. Where it has whole weights besides, it is one all the same, as in transformers.</summary>
    internal static bool Is(string folder) => File.Exists(System.IO.Path.Combine(folder, WeightFiles.AdapterConfigName));

    /// <summary>Its configuration.</summary>
    internal static LoraConfig ConfigOf(string folder) => LoraConfig.Load(System.IO.Path.Combine(folder, WeightFiles.AdapterConfigName));

    /// <summary>Finds the model that an adapter belongs to.</summary>
    /// <param name="folder">The adapter's.</param>
    /// <param name="baseFolder">The model's; null takes what the adapter names.</param>
    /// <exception cref="AttuneException">It names none, or one that is no folder here.</exception>
    internal static AdapterFolder Open(string folder, string? baseFolder)
    {
        var lora = ConfigOf(folder);
        var found = baseFolder ?? lora.BaseModelNameOrPath
            ?? throw new AttuneException($"{folder} is an adapter and does not say of which model; name its base_model_name_or_path in {WeightFiles.AdapterConfigName}.");
        if (!Directory.Exists(found))
            throw new AttuneException($"{folder} is an adapter of {Shown.Of(found)}, which is no folder here; put the model there, or name its folder.");
        if (Is(found))
            throw new AttuneException($"{folder} is an adapter of {found}, which is an adapter itself; merge that one first, and make the result this one's base_model_name_or_path.");
        return new AdapterFolder(folder, found, lora);
    }

    /// <summary>The folder that has config.json: the adapter's where Attune wrote it, else the model's.</summary>
    internal string ConfigFolder => File.Exists(System.IO.Path.Combine(Path, PreTrainedConfig.FileName)) ? Path : Base;

    /// <summary>The configuration of the model with the adapter: of a head that the adapter brings along, its classes.</summary>
    internal PreTrainedConfig Config()
    {
        var config = PreTrainedConfig.Load(System.IO.Path.Combine(ConfigFolder, PreTrainedConfig.FileName));
        if (ConfigFolder == Path) return config;
        using var file = WeightFiles.OpenAdapter(Path);
        return file.Find($"{LoraAdapter.Prefix}{config.ClassifierName}.weight") is { Shape: [> 0 and < int.MaxValue and var classes, _] } && classes != config.NumLabels
            ? config with { LabelNames = [.. Enumerable.Range(0, (int)classes).Select(id => $"LABEL_{id}")] }
            : config;
    }
}
