using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Models;

/// <summary>The weights of a model's folder in half the bytes: float16 on the disk, float32 again when they are loaded.</summary>
/// <remarks>float16 has 11 significant bits: what it changes in a weight is some thousand times smaller than what training moved it by.</remarks>
internal static class HalfPrecision
{
    /// <summary>Rewrites <c>model.safetensors</c>, and says so in <c>config.json</c>.</summary>
    /// <param name="folder">Of a whole model; its weights are in one file.</param>
    /// <exception cref="AttuneException">There is no such file, it cannot be written, or a weight is too large for float16.</exception>
    internal static void Convert(string folder)
    {
        var path = Path.Combine(folder, WeightFiles.SafeTensorsName);
        List<TensorToWrite> tensors;
        Dictionary<string, string> metadata;
        using (var file = SafeTensors.Open(path))
        {
            tensors = [.. file.Entries.Select(entry => TensorToWrite.Of(entry.Name, WeightType.F16, entry.Shape, Halves(file, entry)))];
            metadata = new(file.Metadata);
        }
        SafeTensors.Write(path, tensors, metadata);
        var config = Path.Combine(folder, PreTrainedConfig.FileName);
        if (PythonJson.ReadFile(config) is not JsonObject json) return;
        json["dtype"] = "float16";
        PythonJson.WriteFile(config, json);
    }

    private static Half[] Halves(WeightFile file, WeightEntry entry)
    {
        var values = new float[entry.ByteCount / entry.Type.Size()];
        file.ReadFloats(entry, values);
        return Array.ConvertAll(values, value => Half.IsFinite((Half)value) ? (Half)value
            : throw new AttuneException($"{file.Path}: {entry.Name} holds {value}, too large for float16; leave the weights float32."));
    }
}
