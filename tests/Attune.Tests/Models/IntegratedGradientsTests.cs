using Attune.Batching;
using Attune.Models;

namespace Attune.Tests.Models;

[Collection("torch")]
public sealed class IntegratedGradientsTests
{
    private const int Mask = 4;

    private static readonly TokenizedRow Row = new([2, 11, 25, 7, 40, 11, 3], null), Baseline = new([2, Mask, Mask, Mask, Mask, Mask, 3], null);

    private static readonly BertConfig Small = new()
    {
        VocabSize = 60,
        HiddenSize = 24,
        NumHiddenLayers = 2,
        NumAttentionHeads = 3,
        IntermediateSize = 40,
        MaxPositionEmbeddings = 64,
        LabelNames = ["a", "b", "c"],
        InitializerRange = 0.3,
    };

    [Fact]
    public void Scores_AllTokens_AddUpToTheLogitMoreExactlyWithMoreSteps()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 3);
        using var output = model.Forward(Batch.Pack([Row, Baseline]));
        foreach (var column in Enumerable.Range(0, 3))
        {
            double difference = output.Logits[column] - output.Logits[3 + column];
            double Missing(int steps) => Math.Abs(IntegratedGradients.Of(model, Row, Baseline, column, steps).Sum() - difference);
            Assert.True(Math.Abs(difference) > 0.01, "the text changes nothing");
            Assert.InRange(Missing(4), 0, 0.2 * Math.Abs(difference) + 0.02);
            Assert.InRange(Missing(16), 0, 2e-3);
            // What float32 leaves.
            Assert.InRange(Missing(64), 0, 2e-5);
        }
    }

    [Fact]
    public void Scores_TokensAsInTheBaseline_AreZero()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 3);
        var scores = IntegratedGradients.Of(model, Row, Baseline, 1);
        Assert.Equal(Row.Length, scores.Length);
        Assert.Equal((0, 0), (scores[0], scores[^1]));
        Assert.All(scores[1..^1], score => Assert.NotEqual(0, score));
    }

    /// <summary>With one step the rule takes the gradient in the middle of the way: the same as how the logit changes when the embedding of a token is moved a little along it.</summary>
    [Fact]
    public void Gradient_MiddleOfTheWay_EqualsFiniteDifferences()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 3);
        var scores = IntegratedGradients.Of(model, Row, Baseline, 2, steps: 1);
        var ways = Ways(model);
        for (var token = 0; token < Row.Length; token++)
        {
            const double step = 0.02;
            var slope = (Logit(model, ways, token, 0.5 + step) - Logit(model, ways, token, 0.5 - step)) / (2 * step);
            Assert.Equal(slope, scores[token], 2e-3);
        }
    }

    [Fact]
    public void Of_Model_StaysAsItWas()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 3);
        model.Training = true;
        model.Weights.All[0].RequiresGrad = false;
        var before = IntegratedGradients.Of(model, Row, Baseline, 0);
        Assert.Equal(before, IntegratedGradients.Of(model, Row, Baseline, 0));           // no dropout, though the model trains
        Assert.Equal([model.Weights.All[0]], model.Weights.All.Where(weight => !weight.RequiresGrad));
        Assert.All(model.Weights.All.Skip(1), weight => Assert.True(weight.GradientIsClear));
    }

    [Fact]
    public void Of_ManySteps_AreComputedInParts()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 3);
        var longRow = new TokenizedRow([2, .. Enumerable.Range(0, 60).Select(i => 5 + i % 50), 3]);
        var baseline = new TokenizedRow([2, .. Enumerable.Repeat(Mask, 60), 3]);
        using var output = model.Forward(Batch.Pack([longRow, baseline]));
        Assert.Equal(output.Logits[0] - output.Logits[3], IntegratedGradients.Of(model, longRow, baseline, 0, 48).Sum(), 1e-3);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(7, 14)]
    [InlineData(32, 64)]
    public void GaussLegendre_Polynomials_AreExact(int places, int degrees)
    {
        var rule = GaussLegendre.Rule(places);
        for (var degree = 0; degree < degrees; degree++)
            Assert.Equal(1.0 / (degree + 1), rule.Sum(place => place.Weight * Math.Pow(place.At, degree)), 1e-12);
    }

    [Fact]
    public void Of_WrongBaseline_SaysSo()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 3);
        Assert.Throws<ArgumentException>(() => IntegratedGradients.Of(model, Row, new TokenizedRow([2, 3]), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => IntegratedGradients.Of(model, Row, Baseline, 3));
        Assert.Throws<AttuneException>(() => IntegratedGradients.Of(model, new TokenizedRow([2, 60, 3]), new TokenizedRow([2, Mask, 3]), 0));
    }

    /// <summary>The row's word embeddings less the baseline's, token by token.</summary>
    private static float[][] Ways(BertForSequenceClassification model)
    {
        var (words, size) = (model.Weights["bert.embeddings.word_embeddings.weight"].Span.ToArray(), Small.HiddenSize);
        return [.. Enumerable.Range(0, Row.Length).Select(token => Enumerable.Range(0, size)
            .Select(i => words[Row.InputIds[token] * size + i] - words[Baseline.InputIds[token] * size + i]).ToArray())];
    }

    /// <summary>The logit of class 2 with all tokens in the middle of the way but one, by writing the embeddings into the table under ids of their own.</summary>
    private static double Logit(BertForSequenceClassification model, float[][] ways, int moved, double place)
    {
        var table = model.Weights["bert.embeddings.word_embeddings.weight"].Span;
        var (before, size) = (table.ToArray(), Small.HiddenSize);
        var ids = Enumerable.Range(50, Row.Length).ToArray();                          // rows that neither text uses
        for (var token = 0; token < ids.Length; token++)
            for (var i = 0; i < size; i++)
                table[ids[token] * size + i] = before[Baseline.InputIds[token] * size + i] + (float)(token == moved ? place : 0.5) * ways[token][i];
        using var output = model.Forward(Batch.Pack([new TokenizedRow(ids)]));
        before.CopyTo(table);
        return output.Logits[2];
    }
}
