using Attune.Formats;
using Attune.Models;

namespace Attune.Onnx.Export;

/// <summary>Writes a trained classifier as a model of ONNX, which ONNX Runtime and other programs run without Attune.</summary>
public static class OnnxExport
{
    /// <summary>Where the file tells how many bits its weights have.</summary>
    internal const string WeightBitsKey = "weight_bits";

    /// <summary>Writes the model of a folder.</summary>
    /// <param name="folder">In Hugging Face's layout, with config.json and weights.</param>
    /// <param name="file">The file to write; its large constants may lie in another of its name with <c>_data</c> at the end.</param>
    /// <param name="options">How. Default: float32.</param>
    /// <exception cref="AttuneException">The folder has no trained classifier, a file is damaged, or the file cannot be written.</exception>
    public static void Write(string folder, string file, OnnxExportOptions? options = null)
    {
        using var weights = WeightFiles.Open(folder) ?? throw new AttuneException(
            $"{folder} has no weights (model.safetensors or pytorch_model.bin); train it first, or name another model.");
        using var draft = OnnxDraft.Write(PreTrainedConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName)), weights, file, options ?? new OnnxExportOptions());
        draft.Publish();
    }

    /// <summary>The graph of a model, and what is told of it in the file.</summary>
    internal static OnnxFile Graph(PreTrainedConfig config, WeightFile weights, OnnxExportOptions options)
    {
        var bits = options.WeightBits ?? WeightBits.OfThisProcessor;
        if (bits is not (7 or 8)) throw new AttuneException($"weight_bits is {bits}; it must be 7 or 8.");
        var builder = new GraphBuilder(new ExportWeights(weights, config.EncoderPrefix), options.Precision, bits);
        var metadata = new List<KeyValuePair<string, string>>
        {
            new("model_type", config.ModelType),
            new("precision", options.Precision.ToString().ToLowerInvariant()),
            new("max_position_embeddings", $"{config.MaxPositionEmbeddings}"),
        };
        if (options.Precision == OnnxPrecision.Int8) metadata.Add(new(WeightBitsKey, $"{bits}"));
        return new OnnxFile(config switch
        {
            ModernBertConfig modern => ModernBertGraph.Build(modern, builder),
            DebertaV2Config deberta => DebertaV2Graph.Build(deberta, builder),
            _ => BertGraph.Build(config, config.Form!, builder),
        }, metadata);
    }
}
