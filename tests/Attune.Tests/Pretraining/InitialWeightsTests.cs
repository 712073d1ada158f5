using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Training;
using CsCheck;

namespace Attune.Tests.Pretraining;

/// <summary>What a new model begins with when it is taken from the text.</summary>
[Collection("torch")]
public sealed class InitialWeightsTests : IDisposable
{
    private const int Length = 32;

    private static readonly BertConfig Config = new()
    {
        VocabSize = MadeText.Tokenizer.VocabularySize,
        HiddenSize = 64,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 64,
        MaxPositionEmbeddings = Length,
    };

    private readonly PretrainingFolder _folder = new(Length);

    public void Dispose() => _folder.Dispose();

    /// <summary>Words that stand among the same others are near each other, whichever of them it was in each sentence.</summary>
    [Theory, InlineData(8), InlineData(48)]
    public void WordVectors_WordsOfTwoKinds_LieByTheirKind(int size)
    {
        // Numbers 1 to 5 stand between 11 and 12, and 6 to 10 between 13 and 14, never beside each other; 15 never stands in the text.
        var random = new Random(3);
        var rows = Enumerable.Range(0, 400).Select(row => row % 2 == 0
            ? Row(11, random.Next(1, 6), 12, 11, random.Next(1, 6), 12)
            : Row(13, random.Next(6, 11), 14, 13, random.Next(6, 11), 14)).ToList();
        var counts = new long[16];
        foreach (var row in rows) foreach (var id in row.InputIds) if (id != 0) counts[id]++;
        var vectors = WordVectors.Of(rows, counts, size, seed: 1);
        Assert.Equal(16 * size, vectors.Length);
        Assert.All(Enumerable.Range(1, 14), id => Assert.Equal(1, Product(id, id), 1e-5));
        Assert.All((int[])[0, 15], id => Assert.Equal(0, Product(id, id)));
        for (var one = 1; one <= 10; one++)
            for (var other = 1; other <= 10; other++)
                Assert.True((one <= 5) == (other <= 5) ? Product(one, other) > 0.9 : Product(one, other) < 0.3, $"{one} and {other}: {Product(one, other)}");

        double Product(int one, int other) => Enumerable.Range(0, size).Sum(i => (double)vectors[one * size + i] * vectors[other * size + i]);

        static TokenizedRow Row(params int[] ids) => new([0, .. ids, 0]);
    }

    /// <summary>Of all tokens of a row of any length each head's score is the highest at its own distance.</summary>
    [Fact]
    public void NeighbourAttention_AnyRow_EachHeadLooksAtItsNeighbour() => Gen.Select(Gen.Int[1, 8], Gen.Int[16, 32].Select(half => 2 * half), Gen.ULong).Sample((heads, size, seed) =>
    {
        var hidden = heads * size;
        var neighbours = new NeighbourAttention(hidden, heads, seed);
        float[] positions = new float[200 * hidden], query = new float[hidden * hidden], key = new float[hidden * hidden];
        neighbours.FillPositions(positions, 0.02);
        neighbours.Turn(query, key);
        for (var head = 0; head < heads; head++)
        {
            var distance = (head / 2 + 1) * (head % 2 == 0 ? -1 : 1);
            var keys = Enumerable.Range(0, 200).Select(at => Projected(key, at, head)).ToArray();
            foreach (var at in (int[])[8, 99, 180])
            {
                var asked = Projected(query, at, head);
                var scores = keys.Select(one => one.Zip(asked, (a, b) => a * b).Sum() / Math.Sqrt(size)).ToArray();
                Assert.Equal(at + distance, scores.Index().MaxBy(score => score.Item).Index);
                Assert.Equal(4, scores[at + distance], 0.1);
            }
        }

        double[] Projected(float[] weights, int position, int head) => [.. Enumerable.Range(head * size, size).Select(line =>
            // As in the sum of word, position and type that a LayerNorm brings to a deviation of 1.
            Enumerable.Range(0, hidden).Sum(i => (double)weights[line * hidden + i] * positions[position * hidden + i] / (0.02 * Math.Sqrt(3))))];
    }, iter: 12);

    /// <summary>The point of it: after a few updates the model has found more hidden tokens than with random weights.</summary>
    [Fact]
    public void FromText_AFewUpdates_AreWorthMoreThanFromRandomWeights()
    {
        var collator = new DataCollatorForLanguageModeling(MadeText.Tokenizer);
        var data = _folder.RowsOf(MadeText.File(MadeText.Documents(200)));
        var (random, fromText) = (Learned(isFromText: false), Learned(isFromText: true));
        Assert.True(fromText < random - 0.3, $"the loss is {fromText} from text and {random} from random weights");

        double Learned(bool isFromText)
        {
            using var model = BertForMaskedLM.FromConfig(Config, seed: 1, dropout: 0);
            if (isFromText) InitialWeights.FromText(model, collator, data, seed: 1);
            var arguments = _folder.Arguments(isFromText ? "text" : "random") with { MaxSteps = 120, LearningRate = 2e-3, PerDeviceTrainBatchSize = 16 };
            var trainer = new Trainer(new MaskedLanguageModeling(model, collator), arguments, data, data);
            trainer.Train(cancellation: TestContext.Current.CancellationToken);
            return trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"];
        }
    }

    [Fact]
    public void FromText_TokenizerOfAnotherModel_IsRefused()
    {
        using var model = BertForMaskedLM.FromConfig(Config with { VocabSize = 20 }, seed: 1);
        var data = _folder.RowsOf("the roses\n");
        Assert.Contains("and the model 20", Assert.Throws<AttuneException>(() => InitialWeights.FromText(model, new(MadeText.Tokenizer), data)).Message);
    }
}
