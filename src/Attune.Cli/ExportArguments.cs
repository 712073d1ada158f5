using Attune.Onnx.Export;

namespace Attune.Cli;

/// <summary>What to write of a trained model, and how it is checked.</summary>
public sealed record ExportArguments
{
    /// <summary>Form of the exported model.</summary>
    /// <value>onnx, the only one. Default onnx.</value>
    public ExportFormat Format { get; init; }

    /// <summary>In which numbers it is written.</summary>
    /// <value>
    /// fp32 (the model's own numbers: model.onnx), fp16 (half the size, for graphics processors: model_fp16.onnx) or int8 (a quarter of the size and
    /// faster on processors, answers differ a little: model_quantized.onnx). Default fp32.
    /// </value>
    public OnnxPrecision Precision { get; init; }

    /// <summary>Bits of the weights of precision int8.</summary>
    /// <value>7 for x86 processors without VNNI, whose sums of 8 bits saturate, else 8. Default: what this machine's processor needs.</value>
    public int? WeightBits { get; init; }

    /// <summary>Folder for the exported model, with its tokenizer and configuration: all that a program needs to run it.</summary>
    /// <value>Default: onnx in the model's folder.</value>
    public string? OutputDir { get; init; }

    /// <summary>The most rows on which the exported model is checked against the model itself.</summary>
    /// <value>At least 1. Default 200. They are the first of the validation split of the data given, else of the run's, else of embedded texts.</value>
    public int CheckRows { get; init; } = 200;
}

/// <summary>Forms of exported models.</summary>
public enum ExportFormat
{
    /// <summary>The Open Neural Network Exchange.</summary>
    Onnx,
}
