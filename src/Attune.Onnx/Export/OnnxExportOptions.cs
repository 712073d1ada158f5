namespace Attune.Onnx.Export;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>In which numbers.</summary>
    /// <value>Default <see cref="OnnxPrecision.Fp32"/>.</value>
    public OnnxPrecision Precision { get; init; }

    /// <summary>Bits of the weights of <see cref="OnnxPrecision.Int8"/>: 7 where sums of 8 saturate, on processors of Intel's and AMD's kind without VNNI.</summary>
    /// <value>7 or 8. Default null: what this processor can sum.</value>
    public int? WeightBits { get; init; }

    /// <summary>
    /// Whether the large constants lie in a file of their own beside the model's. A runtime maps that into memory, in place of reading it into a second
    /// copy: of a BERT-base it takes a third of the time to load, and two thirds of the memory.
    /// </summary>
    /// <value>Default null: where the constants come to more than 64 MB. Above 2 GB they must.</value>
    public bool? ExternalData { get; init; }
}
