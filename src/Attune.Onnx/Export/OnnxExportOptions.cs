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

    /// <summary>What the constants may come to inside the file.</summary>
    internal long MostInside { get; init; } = OnnxFile.MostInside;
}
