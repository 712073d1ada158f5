using Attune.Cli;
using Attune.Models;
using Attune.Onnx;
using Attune.Onnx.Export;
using Attune.Tests.Datasets;
using Microsoft.ML.OnnxRuntime;

namespace Attune.Tests.Onnx;

/// <summary>A model written as ONNX into a folder that is gone when the test ends.</summary>
internal sealed class ExportedModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private ExportedModel(PreTrainedConfig config, Action<string> write)
    {
        (Config, File) = (config, Path.Combine(_folder.Path, "model.onnx"));
        write(File);
    }

    internal PreTrainedConfig Config { get; }

    internal string File { get; }

    internal string Folder => _folder.Path;

    /// <summary>Of a folder in Hugging Face's layout, as <see cref="OnnxExport"/> writes it.</summary>
    internal static ExportedModel OfFolder(string folder, OnnxExportOptions? options = null) =>
        new(PreTrainedConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName)), file => OnnxExport.Write(folder, file, options));

    /// <summary>Of a loaded model, as the command writes it.</summary>
    internal static ExportedModel Of(SequenceClassificationModel model, OnnxExportOptions? options = null) => new(model.Config, file =>
    {
        using var weights = new ModelWeights(model, "the model");
        using var draft = OnnxDraft.Write(model.Config, weights, file, options ?? new OnnxExportOptions());
        draft.Publish();
    });

    internal OnnxEngine Engine(int threads = 1) => OnnxEngine.Open(File, Config, Folder, threads);

    /// <summary>Computes a padded batch as it is, by ONNX Runtime alone.</summary>
    internal float[] Compute(int[][] ids, int[][]? mask, int[][]? types)
    {
        using var session = OnnxSession.Open(File, 1);
        long[] shape = [ids.Length, ids[0].Length];
        using var idValues = OrtValue.CreateTensorValueFromMemory(Flat(ids), shape);
        using var maskValues = OrtValue.CreateTensorValueFromMemory(mask is null ? Filled(1) : Flat(mask), shape);
        using var typeValues = OrtValue.CreateTensorValueFromMemory(types is null ? Filled(0) : Flat(types), shape);
        using var options = new RunOptions();
        var known = new Dictionary<string, OrtValue> { ["input_ids"] = idValues, ["attention_mask"] = maskValues, ["token_type_ids"] = typeValues };
        using var results = session.Run(options, session.InputNames, [.. session.InputNames.Select(name => known[name])], ["logits"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();

        long[] Filled(long value) => [.. Enumerable.Repeat(value, ids.Length * ids[0].Length)];

        static long[] Flat(int[][] rows) => [.. rows.SelectMany(row => row).Select(value => (long)value)];
    }

    public void Dispose() => _folder.Dispose();
}
