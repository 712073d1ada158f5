using Attune.Onnx.Export;

namespace Attune.Onnx;

/// <summary>The names of exported models in a folder: those of Hugging Face's own exports, so that other programs find them too.</summary>
internal static class OnnxModelFile
{
    // In the order in which an engine takes them: the exact model first, then the fast one.
    private static readonly (OnnxPrecision Precision, string Name)[] Names =
    [
        (OnnxPrecision.Fp32, "model.onnx"), (OnnxPrecision.Int8, "model_quantized.onnx"), (OnnxPrecision.Fp16, "model_fp16.onnx"),
    ];

    /// <summary>The name of a model of a precision.</summary>
    internal static string Name(OnnxPrecision precision) => Array.Find(Names, file => file.Precision == precision).Name;

    /// <summary>The model of a folder: of several the first in the order model.onnx, model_quantized.onnx, model_fp16.onnx; null where there is none.</summary>
    internal static string? Find(string folder) => Names.Select(file => Path.Combine(folder, file.Name)).FirstOrDefault(File.Exists);
}
