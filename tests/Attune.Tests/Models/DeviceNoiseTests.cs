using Attune.Batching;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Tests.Models;

/// <summary>Noise on word embeddings that the device's generator draws.</summary>
[Collection("torch")]
public sealed class DeviceNoiseTests
{
    private const int Size = 64;

    [Fact]
    public void Add_RowsOfTwoLengths_IsUniformWithinEachRowsBound()
    {
        const double alpha = 6;
        int[] lengths = [4, 25];
        var rows = Batch.Pack([.. lengths.Select(length => new TokenizedRow([.. Enumerable.Repeat(5, length)]))]);
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        using var there = new DeviceBatch(rows, rows.PositionIds, CPU, isPacked: true, DeviceNoise.Numbers(rows));
        var noise = DeviceNoise.Add(zeros(rows.Tokens, Size), there, alpha).data<float>().ToArray();
        foreach (var (row, length) in lengths.Index())
        {
            var own = noise.AsSpan(rows.Sequences.Offsets[row] * Size, length * Size).ToArray();
            var bound = alpha / Math.Sqrt(length * Size);
            Assert.InRange(own.Max(), 0.97 * bound, bound);
            Assert.InRange(own.Min(), -bound, -0.97 * bound);
            Assert.InRange(own.Average(), -0.1 * bound, 0.1 * bound);
            Assert.InRange(own.Average(x => x * x), 0.3 * bound * bound, 0.37 * bound * bound);
        }
    }

    /// <summary>In training only, anew in each update and pass, and the same again in the same one.</summary>
    [Fact]
    public void Forward_Noise_IsInTrainingOnlyAndAnewInEachUpdateAndPass()
    {
        using var model = AutoModelForSequenceClassification.FromConfig(Families.Tiny("bert") with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 }, seed: 1);
        model.ComputeOn(CPU);
        var plain = Logits();
        model.NeftuneNoiseAlpha = 10;
        Assert.Equal(plain, Logits());
        (model.Training, model.DropoutKey) = (true, (1, 1));
        var noisy = Logits();
        Assert.Equal(noisy, Logits());
        var otherPass = Logits(1);
        model.DropoutKey = (1, 2);
        Assert.Equal(4, new[] { plain, noisy, otherPass, Logits() }.Select(logits => logits[0]).Distinct().Count());

        float[] Logits(int pass = 0)
        {
            using var output = model.Forward(Families.Rows(), null, new PassOptions { Number = pass });
            return output.Logits;
        }
    }
}
