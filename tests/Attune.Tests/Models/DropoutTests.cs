using Attune.Batching;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>Dropout stands where BERT has it, and backward meets the same mask as forward.</summary>
[Collection("torch")]
public class DropoutTests
{
    private static readonly BertConfig None = new()
    {
        VocabSize = 40,
        HiddenSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 48,
        MaxPositionEmbeddings = 64,
        InitializerRange = 0.2,
        HiddenDropoutProb = 0,
        AttentionProbsDropoutProb = 0,
        ClassifierDropout = 0,
    };

    private static readonly Batch Rows = Batch.Pack(
        [new([2, 5, 9, 11, 3]), new([2, 8, 3]), new([2, 30, 31, 32, 33, 34, 35, 36, 37, 3])], new ClassLabels([0, 1, 1]));

    [Fact]
    public void ClassifierDropout_OfOne_LeavesOnlyTheBias()
    {
        using var model = Model(None with { ClassifierDropout = 1 });
        model.Weights["classifier.bias"].Span.Fill(0.25f);
        using var output = model.Forward(Rows);
        Assert.All(output.Logits, logit => Assert.Equal(0.25f, logit));
    }

    [Fact]
    public void AttentionDropout_OfOne_EqualsAModelWithoutValues()
    {
        using var dropped = Model(None with { AttentionProbsDropoutProb = 1 });
        using var without = Model(None);
        foreach (var weight in without.Weights.All.Where(weight => weight.Name.Contains(".self.value.", StringComparison.Ordinal))) weight.Span.Clear();
        TensorAssert.Close(Logits(without), Logits(dropped), 1e-6, "logits");
    }

    [Fact]
    public void HiddenDropout_OfOne_RemovesEmbeddingsAndBothBranches()
    {
        using var dropped = Model(None with { HiddenDropoutProb = 1 });
        using var without = Model(None);
        foreach (var weight in without.Weights.All)
            if (weight.Name.EndsWith("output.dense.weight", StringComparison.Ordinal) || weight.Name.StartsWith("bert.embeddings.LayerNorm", StringComparison.Ordinal))
                weight.Span.Clear();
        TensorAssert.Close(Logits(without), Logits(dropped), 1e-6, "logits");
    }

    [Theory]
    [InlineData(0.3, 0, 0)]
    [InlineData(0, 0.3, 0)]
    [InlineData(0, 0, 0.3)]
    public void Loss_AveragedOverUpdates_IsMovedByEachPlaceAlone(double hidden, double attention, double classifier)
    {
        using var model = Model(None with { HiddenDropoutProb = hidden, AttentionProbsDropoutProb = attention, ClassifierDropout = classifier });
        var seen = new HashSet<float>();
        for (var update = 0; update < 20; update++)
        {
            model.DropoutKey = (3, update);
            seen.Add(Logits(model)[0]);
        }
        Assert.True(seen.Count > 15, $"only {seen.Count} different outcomes in 20 updates");
    }

    [Fact]
    public void Gradient_WithAllDropouts_IsTheSlopeOfTheLoss()
    {
        using var model = Model(None with { HiddenDropoutProb = 0.2, AttentionProbsDropoutProb = 0.3, ClassifierDropout = 0.1 });
        using (var output = model.Forward(Rows)) output.Backward();
        foreach (var weight in model.Weights.All)
        {
            // Along the gradient itself the loss rises by its squared length; central differences in single precision give two to three digits.
            using var tensor = weight.Gradient;
            var gradient = tensor.data<float>().ToArray();
            var length = Math.Sqrt(gradient.Sum(value => (double)value * value));
            if (weight.Name.EndsWith("key.bias", StringComparison.Ordinal))
            {
                Assert.True(length < 1e-4, $"{weight.Name}: zero by mathematics, but the gradient's length is {length}");
                continue;
            }
            Assert.True(length > 1e-4, $"{weight.Name} has no gradient");
            var step = 0.01 / Math.Max(1, length);
            var slope = (Shifted(weight, gradient, step / length) - Shifted(weight, gradient, -step / length)) / (2 * step);
            Assert.True(Math.Abs(slope - length) <= 0.02 * length + 1e-3, $"{weight.Name}: slope {slope}, length of the gradient {length}");
        }

        double Shifted(Weight weight, float[] direction, double by)
        {
            var before = weight.Span.ToArray();
            for (var i = 0; i < direction.Length; i++) weight.Span[i] += (float)(by * direction[i]);
            using var output = model.Forward(Rows);
            before.CopyTo(weight.Span);
            return output.Loss!.Value;
        }
    }

    private static BertForSequenceClassification Model(BertConfig config)
    {
        var model = BertForSequenceClassification.FromConfig(config, seed: 5);
        (model.Training, model.DropoutKey) = (true, (1, 1));
        return model;
    }

    private static float[] Logits(BertForSequenceClassification model)
    {
        using var output = model.Forward(Rows);
        return output.Logits;
    }
}
