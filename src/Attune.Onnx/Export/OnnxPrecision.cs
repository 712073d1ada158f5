namespace Attune.Onnx.Export;

/// <summary>In which numbers an exported model is written.</summary>
public enum OnnxPrecision
{
    /// <summary>float32: the model's own numbers.</summary>
    Fp32,

    /// <summary>float16: half the size, for graphics processors.</summary>
    Fp16,

    /// <summary>Weights of 8 bits, and states rounded to 8 bits as they come (dynamic quantization): a quarter of the size, for processors.</summary>
    Int8,
}
