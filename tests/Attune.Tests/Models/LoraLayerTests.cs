using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Tests.Training;

namespace Attune.Tests.Models;

/// <summary>What an adapter computes besides what the golden figures show: new weights, dropout, micro-batches, bfloat16.</summary>
[Collection("torch")]
public sealed class LoraLayerTests
{
    private static readonly LoraConfig Everywhere = new() { R = 3, LoraAlpha = 6, TargetModules = [LoraConfig.AllLinear], LoraDropout = 0.3, Bias = LoraBias.LoraOnly };

    private static readonly BertConfig NoOtherDropout = TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0 };

    [Fact]
    public void FromConfig_NewAdapter_AddsNothingAndIsDrawnFromTheSeed()
    {
        using BertForSequenceClassification plain = TinyRun.Model(), adapted = Model(Everywhere), again = Model(Everywhere), other = BertForSequenceClassification.FromConfig(TinyRun.Config, seed: 2, Everywhere);
        foreach (var weight in plain.Weights.All) Assert.True(weight.Span.SequenceEqual(adapted.Weights[weight.Name].Span), weight.Name);
        using SequenceClassifierOutput before = plain.Forward(Rows()), after = adapted.Forward(Rows());
        Assert.Equal(before.Logits, after.Logits);
        Assert.Equal(13, adapted.Adapter!.Layers.Count);
        for (var i = 0; i < 13; i++)
        {
            var (layer, same) = (adapted.Adapter.Layers[i], again.Adapter!.Layers[i]);
            var bound = 1 / MathF.Sqrt(layer.A.Shape[1]);                   // torch.nn.Linear's: Kaiming's with a = sqrt 5
            Assert.True(layer.B.Span.IndexOfAnyExcept(0f) < 0);
            Assert.InRange(layer.A.Span.ToArray().Max(MathF.Abs), 0.8f * bound, bound);
            Assert.InRange(layer.A.Span.ToArray().Average(), -0.35f * bound, 0.35f * bound);
            Assert.True(layer.A.Span.SequenceEqual(same.A.Span));
            Assert.False(layer.A.Span.SequenceEqual(other.Adapter!.Layers[i].A.Span));
        }
    }

    /// <summary>The gradient with dropout is the slope of the loss with the same dropout.</summary>
    [Fact]
    public void Backward_WithDropout_IsTheSlopeOfTheLoss()
    {
        using var model = Model(Everywhere, NoOtherDropout);
        Fill(model);
        (model.Training, model.DropoutKey) = (true, (7, 3));
        using (var output = model.Forward(Rows())) output.Backward();
        foreach (var weight in model.Adapter!.Weights.Where(weight => !weight.Name.EndsWith("key.bias", StringComparison.Ordinal)))
        {
            using var gradient = weight.Gradient;
            var slope = gradient.data<float>().ToArray();
            var length = Math.Sqrt(slope.Sum(x => (double)x * x));
            var (before, step) = (weight.Span.ToArray(), 2e-2 / Math.Max(1, length));
            double At(double by)
            {
                for (var i = 0; i < before.Length; i++) weight.Span[i] = (float)(before[i] + by * slope[i] / length);
                using var output = model.Forward(Rows());
                return output.Loss!.Value;
            }
            var measured = (At(step) - At(-step)) / (2 * step);
            before.CopyTo(weight.Span);
            Assert.True(Math.Abs(measured - length) <= 0.01 * length + 2e-4, $"{weight.Name}: slope {measured}, length of the gradient {length}");
        }
    }

    [Fact]
    public void Forward_LoraDropout_DropsInTrainingOnlyAndByUpdate()
    {
        using var model = Model(Everywhere, NoOtherDropout);
        Fill(model);
        float[] Logits(bool training, long update)
        {
            (model.Training, model.DropoutKey) = (training, (7, update));
            using var output = model.Forward(Rows());
            return output.Logits;
        }
        Assert.Equal(Logits(false, 0), Logits(false, 1));
        Assert.Equal(Logits(true, 1), Logits(true, 1));
        Assert.NotEqual(Logits(true, 0), Logits(true, 1));
        Assert.NotEqual(Logits(false, 0), Logits(true, 0));
    }

    [Fact]
    public void Backward_InMicroBatches_GivesTheSameGradients()
    {
        using BertForSequenceClassification whole = Model(Everywhere), parts = Model(Everywhere);
        Fill(whole);
        Fill(parts);
        (whole.Training, parts.Training) = (true, true);
        using (var output = whole.Forward(Rows())) output.Backward();
        for (var row = 0; row < 6; row += 2)
        {
            using var output = parts.Forward(TinyRun.Data(6).Batch([row, row + 1], firstRowNumber: row));
            output.Backward(1.0 / 3);
        }
        foreach (var weight in whole.Adapter!.Weights)
        {
            using TorchSharp.torch.Tensor expected = weight.Gradient, actual = parts.Weights[weight.Name].Gradient;
            TensorAssert.CloseGradient(expected.data<float>().ToArray(), actual.data<float>().ToArray(), weight.Name);
        }
    }

    [Fact]
    public void BFloat16_LogitsAndGradients_AreThoseOfFloat32ToItsDigits()
    {
        Assert.SkipUnless(Processor.HasBFloat16, "This processor has no instructions for bfloat16.");
        using BertForSequenceClassification exact = Model(Everywhere, NoOtherDropout), rounded = Model(Everywhere, NoOtherDropout);
        Fill(exact);
        Fill(rounded);
        (exact.Training, rounded.Training, rounded.Precision) = (true, true, Precision.BFloat16);
        using SequenceClassifierOutput before = exact.Forward(Rows()), after = rounded.Forward(Rows());
        before.Backward();
        after.Backward();
        TensorAssert.Close(before.Logits, after.Logits, 5e-2, "logits");
        Assert.NotEqual(before.Logits, after.Logits);
        foreach (var weight in exact.Adapter!.Weights)
        {
            using TorchSharp.torch.Tensor expected = weight.Gradient, actual = rounded.Weights[weight.Name].Gradient;
            float[] x = expected.data<float>().ToArray(), y = actual.data<float>().ToArray();
            Assert.True(Math.Sqrt(x.Zip(y, (a, b) => (double)(a - b) * (a - b)).Sum()) <= 0.1 * Math.Sqrt(x.Sum(a => (double)a * a)) + 1e-3, weight.Name);
        }
    }

    /// <summary>Only the adapter has gradients, and what lies below it is not reached.</summary>
    [Fact]
    public void FromConfig_UpperLayerAlone_LeavesTheLowerEndFrozen()
    {
        using var model = Model(new LoraConfig { R = 2, LayersToTransform = [1] });
        Assert.Equal(2, model.Encoder.FrozenParts);
        Assert.Equal(["bert.encoder.layer.1.attention.self.query", "bert.encoder.layer.1.attention.self.value"], model.Adapter!.Layers.Select(layer => layer.Module));
        Assert.Equal(model.Weights.All.Where(weight => weight.RequiresGrad), model.Adapter.Weights);
        Assert.Equal("LoRA: rank 2 on 2 linear layers (query, value), and classifier whole; 179 of 5,331 weights are trained.", model.Adapter.Describe());
    }

    [Theory]
    [InlineData("qery", "The adapter's target_modules name \"qery\", and the model has no such linear layer; it has query, key, value, attention.output.dense, intermediate.dense, output.dense, pooler.dense, classifier. Did you mean \"query\"?")]
    [InlineData("classifier", "The adapter's target_modules fit no layer of the model that may have one; it has query, key, value, attention.output.dense, intermediate.dense, output.dense, pooler.dense, classifier.")]
    public void FromConfig_NoSuchLayer_SaysWhichThereAre(string target, string message) =>
        Assert.Equal(message, Assert.Throws<AttuneException>(() => Model(new LoraConfig { TargetModules = [target] })).Message);

    /// <summary>A head without task is a layer like others.</summary>
    [Fact]
    public void Backward_AdapterOnTheClassifier_Learns()
    {
        using var model = Model(new LoraConfig { R = 2, TaskType = null, TargetModules = ["classifier"] });
        model.Training = true;
        Assert.Equal(["classifier.lora_A.weight", "classifier.lora_B.weight"], model.Adapter!.Weights.Select(weight => weight.Name));
        using var output = model.Forward(Rows());
        output.Backward();
        using var gradient = model.Weights["classifier.lora_B.weight"].Gradient;
        Assert.Contains(gradient.data<float>().ToArray(), value => value != 0);
    }

    private static BertForSequenceClassification Model(LoraConfig lora, BertConfig? config = null) => BertForSequenceClassification.FromConfig(config ?? TinyRun.Config, seed: 1, lora);

    private static Batch Rows() => TinyRun.Data(6).Batch([0, 1, 2, 3, 4, 5]);

    /// <summary>Gives B values too, so that everything of the adapter counts.</summary>
    private static void Fill(BertForSequenceClassification model)
    {
        var random = new Random(5);
        foreach (var layer in model.Adapter!.Layers)
            for (var i = 0; i < layer.B.Span.Length; i++) layer.B.Span[i] = (float)(random.NextDouble() - 0.5);
        foreach (var weight in model.Weights.All.Where(weight => weight.Name == "classifier.weight" || weight.Name == "bert.pooler.dense.weight"))
            for (var i = 0; i < weight.Span.Length; i++) weight.Span[i] = (float)(random.NextDouble() - 0.5);
    }
}
