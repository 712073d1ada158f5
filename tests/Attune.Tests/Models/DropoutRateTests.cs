using Attune.Batching;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>At each place of the model that share of the elements is dropped which its probability says.</summary>
/// <remarks>
/// One layer whose weights are set so that a single place decides: pooler and classifier are diagonal, so each logit shows one element of the
/// first token's state. Around a place a constant vector of +1 and -1 in turn goes through: LayerNorm moves and stretches it, but what was
/// dropped stays in the middle between the two values that were kept.
/// </remarks>
[Collection("torch")]
public sealed class DropoutRateTests
{
    private const int Hidden = 32, Heads = 2, Rows = 512, Length = 8;
    private const float PoolerScale = 0.25f;
    private const string Layer = "bert.encoder.layer.0.";

    public static TheoryData<double> Probabilities => [0.1, 0.3];

    [Theory, MemberData(nameof(Probabilities))]
    public void Embeddings_DropTheirShare(double probability)
    {
        using var model = Model(hidden: probability);
        Alternate(model, "bert.embeddings.LayerNorm.bias");
        AssertShare(probability, Dropped(model), Rows * Hidden);
    }

    [Theory, MemberData(nameof(Probabilities))]
    public void AttentionOutput_DropsItsShare(double probability)
    {
        using var model = Model(hidden: probability);
        Alternate(model, Layer + "attention.output.dense.bias");
        AssertShare(probability, Dropped(model), Rows * Hidden);
    }

    [Theory, MemberData(nameof(Probabilities))]
    public void LayerOutput_DropsItsShare(double probability)
    {
        using var model = Model(hidden: probability);
        Alternate(model, Layer + "output.dense.bias");
        AssertShare(probability, Dropped(model), Rows * Hidden);
    }

    [Theory, MemberData(nameof(Probabilities))]
    public void AttentionProbabilities_DropTheirShare(double probability)
    {
        // Keys of 0 weigh all tokens alike, and each has the same value: the context is the share of tokens that were kept, stretched by
        // 1 / (1 - probability). The residual holds a 1 beside it to measure by.
        const int perHead = Hidden / Heads;
        using var model = Model(attention: probability);
        Diagonal(model, Layer + "attention.output.dense.weight", 1);
        for (var head = 0; head < Heads; head++)
        {
            var at = head * perHead;
            (model.Weights[Layer + "attention.self.value.bias"].Span[at], model.Weights[Layer + "attention.self.value.bias"].Span[at + 1]) = (1, -1);
            (model.Weights["bert.embeddings.LayerNorm.bias"].Span[at + 2], model.Weights["bert.embeddings.LayerNorm.bias"].Span[at + 3]) = (1, -1);
        }
        var dropped = 0;
        foreach (var state in States(model))
            for (var head = 0; head < Heads; head++)
            {
                var kept = Length * (1 - probability) * state[head * perHead] / state[head * perHead + 2];
                Assert.Equal(Math.Round(kept), kept, 1e-2);
                dropped += Length - (int)Math.Round(kept);
            }
        AssertShare(probability, dropped, Rows * Heads * Length);
    }

    [Theory, MemberData(nameof(Probabilities))]
    public void Classifier_DropsItsShareAndStretchesTheRest(double probability)
    {
        using var model = Model(classifier: probability);
        model.Weights["bert.pooler.dense.bias"].Span.Fill(1);
        using var output = model.Forward(Batch());
        var whole = (float)(Math.Tanh(1) / (1 - probability));
        Assert.All(output.Logits, logit => Assert.True(logit == 0 || Math.Abs(logit - whole) < 1e-5, $"{logit} is neither 0 nor {whole}"));
        AssertShare(probability, output.Logits.Count(logit => logit == 0), Rows * Hidden);
    }

    /// <summary>A model of which every element is 0 until a test sets one.</summary>
    private static BertForSequenceClassification Model(double hidden = 0, double attention = 0, double classifier = 0)
    {
        var config = new BertConfig
        {
            VocabSize = 8,
            HiddenSize = Hidden,
            NumHiddenLayers = 1,
            NumAttentionHeads = Heads,
            IntermediateSize = 16,
            MaxPositionEmbeddings = Length,
            LabelNames = [.. Enumerable.Range(0, Hidden).Select(i => $"element {i}")],
            HiddenDropoutProb = hidden,
            AttentionProbsDropoutProb = attention,
            ClassifierDropout = classifier,
        };
        var model = BertForSequenceClassification.FromConfig(config);
        (model.Training, model.DropoutKey) = (true, (7, 3));
        foreach (var weight in model.Weights.All) weight.Span.Clear();
        foreach (var norm in new[] { "attention.output.LayerNorm.weight", "output.LayerNorm.weight" }) model.Weights[Layer + norm].Span.Fill(1);
        Diagonal(model, "bert.pooler.dense.weight", PoolerScale);
        Diagonal(model, "classifier.weight", 1);
        return model;
    }

    private static Batch Batch() => Attune.Batching.Batch.Pack([.. Enumerable.Range(0, Rows).Select(_ => new TokenizedRow([1, 2, 3, 4, 5, 6, 7, 1]))]);

    /// <summary>The state of each row's first token after the layer.</summary>
    private static IEnumerable<double[]> States(BertForSequenceClassification model)
    {
        using var output = model.Forward(Batch());
        return [.. output.Logits.Select(logit => Math.Atanh(logit) / PoolerScale).Chunk(Hidden)];
    }

    private static int Dropped(BertForSequenceClassification model)
    {
        var dropped = 0;
        foreach (var state in States(model))
        {
            var (middle, width) = ((state.Max() + state.Min()) / 2, state.Max() - state.Min());
            Assert.True(width > 1, "a row without a kept element on either side");
            dropped += state.Count(value => Math.Abs(value - middle) < width / 8);
        }
        return dropped;
    }

    private static void AssertShare(double probability, int dropped, int count)
    {
        var error = Math.Sqrt(probability * (1 - probability) / count);
        Assert.True(Math.Abs((double)dropped / count - probability) <= 5 * error, $"{dropped} of {count} were dropped, not {probability} to 5 errors of {error}");
    }

    private static void Alternate(BertForSequenceClassification model, string name)
    {
        var bias = model.Weights[name].Span;
        for (var i = 0; i < bias.Length; i++) bias[i] = i % 2 == 0 ? 1 : -1;
    }

    private static void Diagonal(BertForSequenceClassification model, string name, float value)
    {
        var matrix = model.Weights[name].Span;
        for (var i = 0; i < Hidden; i++) matrix[i * Hidden + i] = value;
    }
}
