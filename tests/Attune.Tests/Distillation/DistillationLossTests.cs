using Attune.Distillation;
using Attune.Models;
using CsCheck;

namespace Attune.Tests.Distillation;

public sealed class DistillationLossTests
{
    /// <summary>The gradient is the slope of the loss, and the loss is nowhere below zero: for every problem and temperature.</summary>
    [Fact]
    public void Add_AnyLogits_GivesTheSlopeOfItsLoss() =>
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 6], Gen.Enum<ProblemType>(), Gen.Double[0.5, 8], Gen.Int[0, 9999]).Sample((rows, columns, problem, temperature, seed) =>
        {
            var random = new Random(seed);
            float[] student = Logits(), teacher = Logits(), gradient = new float[rows * columns];
            var loss = DistillationLoss.Add(student, teacher, columns, problem, temperature, 0.5 / rows, gradient);
            Assert.True(loss >= -1e-9, $"{loss}");
            const float step = 1e-2f;
            for (var i = 0; i < student.Length; i++)
            {
                float[] above = [.. student], below = [.. student], unused = new float[student.Length];
                (above[i], below[i]) = (above[i] + step, below[i] - step);
                var slope = (DistillationLoss.Add(above, teacher, columns, problem, temperature, 0.5 / rows, unused) -
                    DistillationLoss.Add(below, teacher, columns, problem, temperature, 0.5 / rows, unused)) / (2 * step);
                Assert.Equal(slope, gradient[i], 2e-3);
            }
            // Of the same answers it is nothing, and is added to what is there.
            float[] kept = [.. Enumerable.Repeat(1f, student.Length)];
            Assert.Equal(0, DistillationLoss.Add(teacher, teacher, columns, problem, temperature, 1, kept), 1e-9);
            Assert.All(kept, value => Assert.Equal(1f, value, 1e-6f));

            float[] Logits() => [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(6 * random.NextDouble() - 3))];
        }, iter: 300);

    /// <summary>T² KL at T = 2, worked out by hand for two classes.</summary>
    [Fact]
    public void Add_TwoClasses_IsHintonsFormula()
    {
        float[] gradient = [0, 0];
        var loss = DistillationLoss.Add([0, 0], [2, 0], 2, ProblemType.SingleLabelClassification, temperature: 2, scale: 1, gradient);
        var p = 1 / (1 + Math.Exp(-1));
        Assert.Equal(4 * (p * Math.Log(2 * p) + (1 - p) * Math.Log(2 * (1 - p))), loss, 1e-9);
        Assert.Equal(2 * (0.5 - p), gradient[0], 1e-6);
    }
}
