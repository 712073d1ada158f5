using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Training;

namespace Attune.Tests.Models;

[Collection(nameof(TorchCollection))]
public class PrecisionTests
{
    private static readonly BertConfig Config = new()
    {
        VocabSize = 100,
        HiddenSize = 64,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 128,
        MaxPositionEmbeddings = 32,
    };

    private static readonly Batch Rows = Batch.Pack(
        [.. Enumerable.Range(1, 12).Select(length => new TokenizedRow([.. Enumerable.Range(0, length).Select(i => (7 * length + i) % 100)]))],
        new ClassLabels([.. Enumerable.Range(1, 12).Select(length => length % 2L)]));

    [Fact]
    public void BFloat16_LogitsAndGradients_AreThoseOfFloat32ToItsDigits()
    {
        RequireBFloat16();
        using BertForSequenceClassification exact = Model(Precision.Float32), rounded = Model(Precision.BFloat16);
        var (expected, actual) = (Backward(exact), Backward(rounded));
        TensorAssert.Close(expected.Logits, actual.Logits, 2e-2, "logits");
        Assert.NotEqual(expected.Logits, actual.Logits);
        var distance = Math.Sqrt(expected.Gradients.Zip(actual.Gradients, (x, y) => (double)(x - y) * (x - y)).Sum() / expected.Gradients.Sum(x => (double)x * x));
        Assert.InRange(distance, 1e-6, 2e-2);
        Assert.Equal(Norm(actual.Gradients), actual.Norm, 1e-4);
    }

    public static TheoryData<string> FamilyNames => Families.Names;

    /// <summary>Also where several layers, or positions and tokens, add to one gradient: the sum of squares that the products keep is that of the whole.</summary>
    [Theory, MemberData(nameof(FamilyNames))]
    public void BothPrecisions_OfEveryFamily_AreAlikeAndKnowTheNorm(string family)
    {
        using SequenceClassificationModel exact = OfFamily(), rounded = OfFamily();
        var expected = Backward(exact);
        Assert.Equal(Norm(expected.Gradients), expected.Norm, 1e-4 * expected.Norm);
        if (!Processor.HasBFloat16) return;
        rounded.Precision = Precision.BFloat16;
        var actual = Backward(rounded);
        TensorAssert.Close(expected.Logits, actual.Logits, 0.1, "logits");
        Assert.NotEqual(expected.Logits, actual.Logits);
        var distance = Math.Sqrt(expected.Gradients.Zip(actual.Gradients, (x, y) => (double)(x - y) * (x - y)).Sum() / expected.Gradients.Sum(x => (double)x * x));
        Assert.InRange(distance, 1e-6, 6e-2);
        Assert.Equal(Norm(actual.Gradients), actual.Norm, 1e-4 * actual.Norm);

        SequenceClassificationModel OfFamily()
        {
            var model = AutoModelForSequenceClassification.FromConfig(Families.Tiny(family) with
            {
                VocabSize = 100,
                HiddenSize = 64,
                IntermediateSize = 96,
                MaxPositionEmbeddings = 40,
                InitializerRange = 0.1,
                HiddenDropoutProb = 0,
                AttentionProbsDropoutProb = 0,
                ClassifierDropout = 0,
                LabelNames = ["a", "b"],
            });
            model.Training = true;
            return model;
        }
    }

    [Fact]
    public void Float16_LogitsAndGradients_AreThoseOfFloat32ToItsDigits()
    {
        using BertForSequenceClassification exact = Model(Precision.Float32), rounded = Model(Precision.Float16);
        var (expected, actual) = (Backward(exact), Backward(rounded));
        TensorAssert.Close(expected.Logits, actual.Logits, 2e-3, "logits");
        Assert.NotEqual(expected.Logits, actual.Logits);
        var distance = Math.Sqrt(expected.Gradients.Zip(actual.Gradients, (x, y) => (double)(x - y) * (x - y)).Sum() / expected.Gradients.Sum(x => (double)x * x));
        Assert.InRange(distance, 1e-7, 2e-2);
        Assert.Equal(Norm(actual.Gradients), actual.Norm, 1e-4);
    }

    [Fact]
    public void Float16_AfterAStep_ComputesWithTheNewWeights()
    {
        using var model = Model(Precision.Float16);
        using var optimizer = new AdamW(model.Weights, learningRate: 0.05);
        _ = Backward(model);
        optimizer.Step();
        optimizer.ZeroGrad();
        var trained = Backward(model).Logits;
        model.Precision = Precision.Float32;
        TensorAssert.Close(Backward(model).Logits, trained, 1e-2, "logits");
    }

    [Fact]
    public void BFloat16_AfterAStep_ComputesWithTheNewWeights()
    {
        RequireBFloat16();
        using var model = Model(Precision.BFloat16);
        using var optimizer = new AdamW(model.Weights, learningRate: 0.05);
        _ = Backward(model);
        optimizer.Step();
        optimizer.ZeroGrad();
        var trained = Backward(model).Logits;
        model.Precision = Precision.Float32;
        TensorAssert.Close(Backward(model).Logits, trained, 5e-2, "logits");
        model.Precision = Precision.BFloat16;
        model.Weights["bert.encoder.layer.0.output.dense.weight"].Span.Clear();
        var cleared = Backward(model).Logits;
        Assert.NotEqual(trained, cleared);
        model.Precision = Precision.Float32;
        TensorAssert.Close(Backward(model).Logits, cleared, 5e-2, "logits of changed weights");
    }

    [Fact]
    public void BFloat16_WithoutInstructionsForIt_IsRefused()
    {
        Assert.SkipWhen(Processor.HasBFloat16, "This processor has them.");
        using var model = Model(Precision.Float32);
        Assert.Contains("AVX512_BF16", Assert.Throws<AttuneException>(() => model.Precision = Precision.BFloat16).Message, StringComparison.Ordinal);
        Assert.Throws<AttuneException>(() => new TrainingArguments { Bf16 = true }.Validated());
    }

    private static void RequireBFloat16() => Assert.SkipUnless(Processor.HasBFloat16, "This processor has no instructions for bfloat16.");

    private static BertForSequenceClassification Model(Precision precision)
    {
        var model = BertForSequenceClassification.FromConfig(Config);
        (model.Training, model.Precision) = (true, precision);
        return model;
    }

    private static (float[] Logits, float[] Gradients, double Norm) Backward(SequenceClassificationModel model)
    {
        model.Weights.ClearGradients();
        using var output = model.Forward(Rows);
        output.Backward();
        var norm = GradientNorm.Compute(model.Weights);
        return (output.Logits, LibTorch.Span(model.Weights.Gradients).ToArray(), norm);
    }

    private static double Norm(float[] gradients) => Math.Sqrt(gradients.Sum(x => (double)x * x));
}
