using Attune.Models;
using Attune.Onnx.Export;
using Attune.Tests.Models;

namespace Attune.Tests.Onnx;

/// <summary>What ONNX Runtime computes from exported models is what transformers computed (golden folders tiny_bert and lora).</summary>
[Collection("torch")]
public sealed class OnnxGoldenTests
{
    // float32 with another order of summation, as the golden data's README suggests. float16 has 11 bits, and whole numbers 8.
    private const double LogitTolerance = 1e-5, MergedTolerance = 2e-5, HalfTolerance = 5e-3, WholeTolerance = 0.15;

    // ModernBERT's feed-forward multiplies two states, so that what each was rounded by is multiplied too, and the product has a longer tail than 8 bits hold well.
    private const double GatedHalfTolerance = 1e-2, GatedWholeTolerance = 0.3;

    public static TheoryData<string> Models() => TinyBertGoldenTests.Models();

    public static TheoryData<string> Variants() => TinyBertGoldenTests.Variants();

    public static TheoryData<string> Adapters() => LoraGoldenTests.Cases();

    [Theory, MemberData(nameof(Models))]
    public void Logits_Float32_EqualTransformers(string name) => Compare(name, new OnnxExportOptions(), LogitTolerance);

    [Theory, MemberData(nameof(Models))]
    public void Logits_Float16_AreNear(string name) => Compare(name, new OnnxExportOptions { Precision = OnnxPrecision.Fp16 }, HalfTolerance);

    [Theory, MemberData(nameof(Models))]
    public void Logits_WholeNumbers_AreNear(string name)
    {
        foreach (var bits in new[] { 7, 8 })
            Compare(name, new OnnxExportOptions { Precision = OnnxPrecision.Int8, WeightBits = bits }, WholeTolerance);
    }

    public static TheoryData<string> Encoders() => Golden.Folder("encoders") is { } root
        ? [.. Directory.EnumerateDirectories(root).Where(folder => Golden.Json(folder, "expected.json").GetProperty("model_class").GetString()!
            .EndsWith("ForSequenceClassification", StringComparison.Ordinal) && ModelTypes.Names.Contains(Golden.Json(folder, "config.json").GetProperty("model_type").GetString())).Select(folder => Path.GetFileName(folder)!).Order()]
        : ["absent"];

    [Theory, MemberData(nameof(Variants))]
    public void Variant_EqualsTransformers(string name)
    {
        var folder = Path.Combine(Golden.Require("tiny_bert"), "variants", name);
        var golden = Golden.Json(folder, "case.json");
        using var exported = ExportedModel.OfFolder(folder);
        var inputs = golden.GetProperty("inputs");
        var logits = exported.Compute(GoldenBatches.Ints(inputs, "input_ids")!, GoldenBatches.Ints(inputs, "attention_mask"), GoldenBatches.Ints(inputs, "token_type_ids"));
        TensorAssert.Close(GoldenBatches.Floats(golden.GetProperty("logits")), logits, LogitTolerance, name);
    }

    /// <summary>The other families, whose weights have other names, sizes and places.</summary>
    [Theory, MemberData(nameof(Encoders))]
    public void Family_EqualsTransformers(string name) => CompareFamily(name, new OnnxExportOptions(), MergedTolerance);

    /// <summary>Every weight of every family is found and written in the other precisions too.</summary>
    [Theory, MemberData(nameof(Encoders))]
    public void Family_InFewerBits_IsNearTransformers(string name)
    {
        var isGated = name.StartsWith("modernbert", StringComparison.Ordinal);
        CompareFamily(name, new OnnxExportOptions { Precision = OnnxPrecision.Fp16 }, isGated ? GatedHalfTolerance : HalfTolerance);
        CompareFamily(name, new OnnxExportOptions { Precision = OnnxPrecision.Int8 }, isGated ? GatedWholeTolerance : WholeTolerance);
    }

    private static void CompareFamily(string name, OnnxExportOptions options, double tolerance)
    {
        var folder = Path.Combine(Golden.Require("encoders"), name);
        var expected = Golden.Json(folder, "expected.json").GetProperty("batches");
        using var exported = ExportedModel.OfFolder(folder, options);
        foreach (var batch in Golden.Json(folder, "inputs.json").GetProperty("batches").EnumerateArray())
        {
            var logits = exported.Compute(GoldenBatches.Ints(batch, "input_ids")!, GoldenBatches.Ints(batch, "attention_mask"), GoldenBatches.Ints(batch, "token_type_ids"));
            TensorAssert.Close(GoldenBatches.Floats(expected.GetProperty(batch.GetProperty("name").GetString()!).GetProperty("logits")), logits, tolerance, $"{name}, {options.Precision}, {batch.GetProperty("name")}");
        }
    }

    [Theory, MemberData(nameof(Adapters))]
    public void Adapter_IsExportedMerged(string name)
    {
        var folder = Path.Combine(Golden.Require("lora"), name);
        var (root, golden) = (Golden.Require("tiny_bert"), Golden.Json(folder, "expected.json"));
        using var model = Attune.Inference.TorchEngine.Load(folder, Path.Combine(root, "labels2"));
        using var exported = ExportedModel.Of(model.Model);
        var cases = 0;
        foreach (var batch in Golden.Json(root, "inputs.json").GetProperty("batches").EnumerateArray())
        {
            if (!golden.GetProperty("batches").TryGetProperty(batch.GetProperty("name").GetString()!, out var expected)) continue;
            var logits = exported.Compute(GoldenBatches.Ints(batch, "input_ids")!, GoldenBatches.Ints(batch, "attention_mask"), GoldenBatches.Ints(batch, "token_type_ids"));
            TensorAssert.Close(GoldenBatches.Floats(expected.GetProperty("logits_merged")), logits, MergedTolerance, $"{name}, {batch.GetProperty("name")}");
            cases++;
        }
        Assert.True(cases > 0, "no case found");
    }

    /// <summary>All batches of the golden data: padded left and right, with holes in the mask, with pairs, with nothing but what must be there.</summary>
    private static void Compare(string name, OnnxExportOptions options, double tolerance)
    {
        var root = Golden.Require("tiny_bert");
        var expected = Golden.Json(Path.Combine(root, name), "expected.json").GetProperty("batches");
        using var exported = ExportedModel.OfFolder(Path.Combine(root, name), options);
        var cases = 0;
        foreach (var batch in Golden.Json(root, "inputs.json").GetProperty("batches").EnumerateArray())
        {
            if (!expected.TryGetProperty(batch.GetProperty("name").GetString()!, out var golden)) continue;
            var logits = exported.Compute(GoldenBatches.Ints(batch, "input_ids")!, GoldenBatches.Ints(batch, "attention_mask"), GoldenBatches.Ints(batch, "token_type_ids"));
            TensorAssert.Close(GoldenBatches.Floats(golden.GetProperty("logits")), logits, tolerance, $"{name}, {batch.GetProperty("name")}");
            cases++;
        }
        Assert.True(cases > 0, "no case found");
    }
}
