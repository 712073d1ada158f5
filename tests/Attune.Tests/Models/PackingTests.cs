using Attune.Batching;
using Attune.Models;
using CsCheck;

namespace Attune.Tests.Models;

/// <summary>Packing is exact: any mixture of lengths gives the padded model's logits and gradients, and no cut into micro-batches shows.</summary>
[Collection("torch")]
public class PackingTests
{
    private static readonly BertConfig Small = new()
    {
        VocabSize = 60,
        HiddenSize = 48,
        NumHiddenLayers = 2,
        NumAttentionHeads = 3,
        IntermediateSize = 80,
        MaxPositionEmbeddings = 512,
        LabelNames = ["a", "b", "c"],
        InitializerRange = 0.15,
        HiddenDropoutProb = 0,
        AttentionProbsDropoutProb = 0,
    };

    [Fact]
    public void AnyMixtureOfLengths_EqualsThePaddedModel()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 7);
        model.Training = true;
        Gen.OneOf(Gen.Int[1, 12], Gen.Int[1, 80], Gen.Int[300, 512]).Array[1, 7].Sample(lengths =>
        {
            var rows = Rows(lengths);
            var labels = Enumerable.Range(0, rows.Count).Select(row => (long)row % 3).ToArray();
            var expected = PaddedReference.Run(model, rows, labels);
            foreach (var batch in new[] { Batch.Pack(rows, new ClassLabels(labels)), Padded(rows, labels) })
            {
                model.Weights.ClearGradients();
                using var output = model.Forward(batch);
                output.Backward();
                TensorAssert.Close(expected.Logits, output.Logits, 1e-5, "logits");
                TensorAssert.Close([expected.Loss], [(float)output.Loss!.Value], 1e-5, "loss");
                foreach (var weight in model.Weights.All)
                {
                    using var gradient = weight.Gradient;
                    TensorAssert.CloseGradient(expected.Gradients[weight.Name], gradient.data<float>().ToArray(), weight.Name);
                }
            }
        }, seed: "0000KOIKmXn1", iter: 6, threads: 1);
    }

    [Fact]
    public void MicroBatches_WithDropout_GiveTheSameLogitsAndGradientSums()
    {
        using var model = BertForSequenceClassification.FromConfig(
            Small with { HiddenDropoutProb = 0.2, AttentionProbsDropoutProb = 0.3, ClassifierDropout = 0.4 }, seed: 7);
        model.Training = true;
        model.DropoutKey = (11, 5);
        var rows = Rows([3, 17, 64, 1, 9, 33, 5, 120]);
        var labels = new long[] { 0, 1, 2, 0, 1, 2, 0, 1 };

        var (whole, wholeGradient) = Run([8]);
        foreach (var cut in new int[][] { [4, 4], [1, 7], [2, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1] })
        {
            var (logits, gradient) = Run(cut);
            TensorAssert.Close(whole, logits, 1e-5, $"logits cut into {string.Join('+', cut)}");
            TensorAssert.CloseGradient(wholeGradient, gradient, $"gradients cut into {string.Join('+', cut)}");
        }
        model.DropoutKey = (11, 6);
        Assert.NotEqual(whole, Run([8]).Logits);

        (float[] Logits, float[] Gradient) Run(int[] sizes)
        {
            model.Weights.ClearGradients();
            List<float> logits = [];
            var first = 0;
            foreach (var size in sizes)
            {
                using var output = model.Forward(Batch.Pack(rows.GetRange(first, size), new ClassLabels(labels[first..(first + size)]), first));
                output.Backward((double)size / rows.Count);
                logits.AddRange(output.Logits);
                first += size;
            }
            return ([.. logits], model.Weights.Gradients.data<float>().ToArray());
        }
    }

    [Fact]
    public void Evaluation_KeepsNothingAndIgnoresDropout()
    {
        using var model = BertForSequenceClassification.FromConfig(Small with { HiddenDropoutProb = 0.5, AttentionProbsDropoutProb = 0.5 }, seed: 7);
        var batch = Batch.Pack(Rows([4, 9]), new ClassLabels([0, 1]));
        using var output = model.Forward(batch);
        using var again = model.Forward(batch);
        Assert.Equal(output.Logits, again.Logits);
        Assert.Throws<InvalidOperationException>(() => output.Backward());
    }

    [Fact]
    public void OwnLoss_OnTheLogitsTensor_GivesTheGradientsOfTheBuiltInOne()
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 7);
        model.Training = true;
        var rows = Rows([4, 9, 2]);
        using var builtIn = model.Forward(Batch.Pack(rows, new ClassLabels([0, 1, 2])));
        builtIn.Backward();
        var expected = model.Weights.Gradients.data<float>().ToArray();

        model.Weights.ClearGradients();
        using var own = model.Forward(Batch.Pack(rows));
        using var labels = TorchSharp.torch.tensor([0L, 1, 2]);
        using var loss = TorchSharp.torch.nn.functional.cross_entropy(own.LogitsTensor, labels);
        loss.backward();
        own.Backward();
        TensorAssert.Close(expected, model.Weights.Gradients.data<float>().ToArray(), 1e-6, "gradients");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(10)]
    public void Backward_GradientOfAnotherLength_IsRefusedBeforeAnythingIsUsedUp(int length)
    {
        using var model = BertForSequenceClassification.FromConfig(Small, seed: 7);
        model.Training = true;
        using var output = model.Forward(Batch.Pack(Rows([4, 9, 2]), new ClassLabels([0, 1, 2])));
        Assert.Throws<ArgumentException>(() => output.Backward(new float[length]));
        output.Backward();
        Assert.Contains(model.Weights.Gradients.data<float>().ToArray(), value => value != 0);
    }

    private static List<TokenizedRow> Rows(int[] lengths) => [.. lengths.Select((length, row) => new TokenizedRow(
        [.. Enumerable.Range(0, length).Select(i => (i * 31 + row * 17 + length) % Small.VocabSize)],
        [.. Enumerable.Range(0, length).Select(i => i * 2 > length ? 1 : 0)]))];

    private static Batch Padded(List<TokenizedRow> rows, long[] labels)
    {
        var columns = rows.Max(row => row.Length) + 3;
        int[][] Pad(Func<TokenizedRow, int[]> values) => [.. rows.Select(row => values(row).Concat(Enumerable.Repeat(0, columns - row.Length)).ToArray())];
        return Batch.FromPadded(Pad(row => row.InputIds.ToArray()), Pad(row => [.. Enumerable.Repeat(1, row.Length)]), Pad(row => row.TokenTypeIds.ToArray()), new ClassLabels(labels));
    }
}
