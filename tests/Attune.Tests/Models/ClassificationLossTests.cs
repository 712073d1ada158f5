using Attune.Batching;
using Attune.Models;
using CsCheck;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Tests.Models;

/// <summary>Every loss and its gradient are those that torch computes and differentiates, whole and in parts.</summary>
[Collection("torch")]
public sealed class ClassificationLossTests
{
    // Logits are float32; the reference computes with float64 from there on.
    private const double Tolerance = 1e-6;

    /// <summary>A batch of random logits with labels of each kind.</summary>
    private sealed record Sample(int Rows, int Columns, int Seed)
    {
        internal float[] Logits => Numbers(0, Rows * Columns, scale: 4);

        internal float[] Others => Numbers(1, Rows * Columns, scale: 4);

        internal float[] Targets => Numbers(2, Rows * Columns, scale: 3);

        /// <summary>One row in five is to be left out, but not the first.</summary>
        internal long[] Classes => [.. Enumerable.Range(0, Rows).Select(row => row > 0 && (Seed + row) % 5 == 0 ? ClassLabels.Ignored : (Seed / 7 + row * 3L) % Columns)];

        internal float[] Several => [.. Numbers(3, Rows * Columns, scale: 1).Select(value => value > 0.5 ? 0.25f : value > 0 ? 1f : 0f)];

        internal double[] Weights => [.. Numbers(4, Columns, scale: 1).Select(value => 0.1 + Math.Abs((double)value))];

        private float[] Numbers(int salt, int count, double scale)
        {
            var random = new Random(Seed * 31 + salt);
            return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale))];
        }
    }

    private static readonly Gen<Sample> Samples = Gen.Select(Gen.Int[1, 9], Gen.Int[1, 6], Gen.Int[0, 100_000], (rows, columns, seed) => new Sample(rows, columns, seed));

    [Theory, InlineData(0, false), InlineData(0.1, false), InlineData(0, true), InlineData(0.3, true)]
    public void CrossEntropy_AnyWeightsAndSmoothing_EqualsTorch(double smoothing, bool isWeighted) => Samples.Sample(sample =>
    {
        var options = new LossOptions { LabelSmoothing = smoothing, ClassWeights = isWeighted ? sample.Weights : null };
        AssertEqual(sample, new ClassLabels(sample.Classes), ProblemType.SingleLabelClassification, options, logits =>
            cross_entropy(logits, tensor(sample.Classes), isWeighted ? tensor(sample.Weights) : null, label_smoothing: smoothing));
    }, iter: 40, threads: 1);

    [Theory, InlineData(0.5, 0, false), InlineData(1, 0.2, false), InlineData(2, 0, true), InlineData(3.5, 0.1, true), InlineData(1e-9, 0.1, true)]
    public void Focal_OneClass_EqualsTheFormulaDifferentiatedByTorch(double gamma, double smoothing, bool isWeighted) => Samples.Where(sample => sample.Columns > 1).Sample(sample =>
    {
        var options = new LossOptions { FocalGamma = gamma, LabelSmoothing = smoothing, ClassWeights = isWeighted ? sample.Weights : null };
        AssertEqual(sample, new ClassLabels(sample.Classes), ProblemType.SingleLabelClassification, options, logits =>
        {
            var counting = tensor(sample.Classes).ne(ClassLabels.Ignored);
            var labels = tensor(sample.Classes).clamp(0);
            var weights = isWeighted ? tensor(sample.Weights) : ones(sample.Columns, ScalarType.Float64);
            var wanted = one_hot(labels, sample.Columns).to(ScalarType.Float64) * (1 - smoothing) + smoothing / sample.Columns;
            var log = logits.log_softmax(1);
            var rows = -(wanted * weights * (1 - log.exp()).pow(gamma) * log).sum(1);
            return rows[counting].sum() / weights[labels[counting]].sum();
        });
    }, iter: 30, threads: 1);

    [Theory, InlineData(false), InlineData(true)]
    public void BinaryCrossEntropy_AnyWeights_EqualsTorch(bool isWeighted) => Samples.Sample(sample =>
        AssertEqual(sample, new MultiLabels(sample.Several, sample.Columns), ProblemType.MultiLabelClassification,
            new LossOptions { PositiveWeights = isWeighted ? sample.Weights : null }, logits => binary_cross_entropy_with_logits(
                logits, tensor(sample.Several, [sample.Rows, sample.Columns]).to(ScalarType.Float64), pos_weights: isWeighted ? tensor(sample.Weights) : null)),
        iter: 40, threads: 1);

    [Theory, InlineData(0.5, false), InlineData(2, true)]
    public void Focal_SeveralClasses_EqualsTheFormulaDifferentiatedByTorch(double gamma, bool isWeighted) => Samples.Sample(sample =>
        AssertEqual(sample, new MultiLabels(sample.Several, sample.Columns), ProblemType.MultiLabelClassification,
            new LossOptions { FocalGamma = gamma, PositiveWeights = isWeighted ? sample.Weights : null }, logits =>
            {
                var labels = tensor(sample.Several, [sample.Rows, sample.Columns]).to(ScalarType.Float64);
                var weights = isWeighted ? tensor(sample.Weights) : ones(sample.Columns, ScalarType.Float64);
                var p = logits.sigmoid();
                return -(labels * weights * (1 - p).pow(gamma) * p.log() + (1 - labels) * p.pow(gamma) * (1 - p).log()).mean();
            }), iter: 30, threads: 1);

    [Theory, InlineData(RegressionLoss.Mse, 1), InlineData(RegressionLoss.Mae, 1), InlineData(RegressionLoss.Huber, 1), InlineData(RegressionLoss.Huber, 2.5)]
    public void Regression_EachLoss_EqualsTorch(RegressionLoss loss, double delta) => Samples.Sample(sample =>
        AssertEqual(sample, new RegressionTargets(sample.Targets, sample.Columns), ProblemType.Regression,
            new LossOptions { RegressionLoss = loss, HuberDelta = delta }, outputs =>
            {
                var targets = tensor(sample.Targets, [sample.Rows, sample.Columns]).to(ScalarType.Float64);
                return loss switch
                {
                    RegressionLoss.Mse => mse_loss(outputs, targets),
                    RegressionLoss.Mae => l1_loss(outputs, targets),
                    _ => huber_loss(outputs, targets, delta),
                };
            }), iter: 30, threads: 1);

    [Theory, InlineData(ProblemType.SingleLabelClassification), InlineData(ProblemType.MultiLabelClassification), InlineData(ProblemType.Regression)]
    public void Consistency_TwoPasses_EqualsTheDivergencesDifferentiatedByTorch(ProblemType problem) => Samples.Sample(sample =>
    {
        using var scope = NewDisposeScope();
        Tensor Leaf(float[] values) => tensor(values, [sample.Rows, sample.Columns]).to(ScalarType.Float64).requires_grad_(true);
        var (a, b) = (Leaf(sample.Logits), Leaf(sample.Others));
        double[] weights = [.. Enumerable.Range(0, sample.Rows).Select(row => row % 3 / 2.0)];
        var total = weights.Sum() + 1;
        var rows = problem switch
        {
            ProblemType.SingleLabelClassification => (Divergence(a.log_softmax(1), b.log_softmax(1)) + Divergence(b.log_softmax(1), a.log_softmax(1))).sum(1) / 2,
            ProblemType.MultiLabelClassification => (YesOrNo(a, b) + YesOrNo(b, a)).mean([1L]) / 2,
            _ => (a - b).square().mean([1L]),
        };
        var expected = (rows * tensor(weights)).sum() / total;
        expected.backward();

        const double factor = 0.7;
        var (slopeA, slopeB) = (new float[a.NumberOfElements], new float[a.NumberOfElements]);
        var loss = ConsistencyLoss.Add(sample.Logits, sample.Others, sample.Columns, problem, weights, total, factor, slopeA, slopeB);
        Assert.Equal(expected.item<double>(), loss, Tolerance);
        TensorAssert.Close(Floats(a.grad! * factor), slopeA, Tolerance, "gradient of the first pass");
        TensorAssert.Close(Floats(b.grad! * factor), slopeB, Tolerance, "gradient of the second pass");

        static Tensor Divergence(Tensor p, Tensor q) => p.exp() * (p - q);
        static Tensor YesOrNo(Tensor x, Tensor y) => Divergence(logsigmoid(x), logsigmoid(y)) + Divergence(logsigmoid(-x), logsigmoid(-y));
    }, iter: 30, threads: 1);

    /// <summary>Logits far out, where a probability is 1 to the last bit.</summary>
    [Theory, InlineData(0.3), InlineData(1), InlineData(2)]
    public void Focal_CertainRows_HaveNumbersAndNoGradient(double gamma)
    {
        var slope = new float[3];
        var loss = ClassificationLoss.Compute(
            [200, -200, 3], 3, new ClassLabels([0]), ProblemType.SingleLabelClassification, new LossOptions { FocalGamma = gamma }, 1, slope);
        Assert.Equal((0, 0f, 0f, 0f), (loss, slope[0], slope[1], slope[2]));
        loss = ClassificationLoss.Compute(
            [200, -200, -150], 3, new MultiLabels([1, 0, 0], 3), ProblemType.MultiLabelClassification, new LossOptions { FocalGamma = gamma }, 1, slope);
        Assert.Equal(0, loss, 1e-6);
        Assert.All(slope, value => Assert.Equal(0, value, 1e-6));
    }

    [Fact]
    public void Compute_WeightsForOtherClasses_IsOneSentence()
    {
        var error = Assert.Throws<AttuneException>(() => ClassificationLoss.Compute(
            [1, 2, 3], 3, new ClassLabels([0]), ProblemType.SingleLabelClassification, new LossOptions { ClassWeights = [1, 2] }, 1, new float[3]));
        Assert.Equal("There are weights for 2 classes, but the model has 3: give one for each.", error.Message);
    }

    /// <summary>The loss of the whole, and the sum over two parts of it, against torch's.</summary>
    private static void AssertEqual(Sample sample, Labels labels, ProblemType problem, LossOptions options, Func<Tensor, Tensor> reference)
    {
        using var scope = NewDisposeScope();
        var leaf = tensor(sample.Logits, [sample.Rows, sample.Columns]).to(ScalarType.Float64).requires_grad_(true);
        var expected = reference(leaf);
        expected.backward();
        var slope = Floats(leaf.grad!);

        var total = ClassificationLoss.Weight(labels, problem, options);
        foreach (var cut in new[] { sample.Rows, sample.Rows / 2 })
        {
            var (loss, gradient) = (0.0, new float[sample.Logits.Length]);
            foreach (var range in new[] { ..cut, cut..sample.Rows })
            {
                int[] rows = [.. Enumerable.Range(0, sample.Rows).Take(range)];
                if (rows.Length == 0) continue;
                var elements = (rows[0] * sample.Columns)..((rows[^1] + 1) * sample.Columns);
                loss += ClassificationLoss.Compute(sample.Logits.AsSpan()[elements], sample.Columns, labels.Select(rows), problem, options, total, gradient.AsSpan()[elements]);
            }
            Assert.Equal(expected.item<double>(), loss, Tolerance);
            TensorAssert.Close(slope, gradient, Tolerance, $"gradient, cut at {cut}");
        }
    }

    private static float[] Floats(Tensor values) => values.to(ScalarType.Float32).contiguous().data<float>().ToArray();
}
