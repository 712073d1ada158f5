using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using CsCheck;

namespace Attune.Tests.Optimization;

[Collection(nameof(TorchCollection))]
public unsafe class DeferredRowsTests
{
    private static readonly BertConfig Config = new()
    {
        VocabSize = 60,
        HiddenSize = 20,
        NumHiddenLayers = 1,
        NumAttentionHeads = 2,
        IntermediateSize = 24,
        MaxPositionEmbeddings = 16,
    };

    [Fact]
    public void AdamW_WithRowsPutOff_GivesTheBitsOfTheDenseOptimizer() =>
        Gen.Select(Gen.Int, Gen.Double[0, 0.3], Gen.Double[0.5, 0.95], Gen.Double[0.9, 0.9999], Gen.Int[1, 60]).Sample((seed, decay, beta1, beta2, steps) =>
        {
            using Run deferred = new(defersRows: true, decay, beta1, beta2), dense = new(defersRows: false, decay, beta1, beta2);
            var random = new Random(seed);
            for (var step = 0; step < steps; step++)
            {
                var (ids, rate, readAll) = (Ids(random, Config.VocabSize), random.NextDouble() * 1e-2, random.Next(20) == 0);
                deferred.Step(ids, rate);
                dense.Step(ids, rate);
                if (readAll) AssertSame(dense, deferred);
            }
            AssertSame(dense, deferred);
        }, iter: 20);

    [Theory]
    [InlineData(0, 0.9, 0.999)]
    [InlineData(0.1, 0.9, 0.999)]
    [InlineData(0, 0.99, 0.9)]
    public void AdamW_RowsUnreadForThousandsOfUpdates_GiveTheBitsOfTheDenseOptimizer(double decay, double beta1, double beta2)
    {
        using Run deferred = new(defersRows: true, decay, beta1, beta2), dense = new(defersRows: false, decay, beta1, beta2);
        foreach (var run in (Run[])[deferred, dense])
        {
            run.Step([.. Enumerable.Range(1, 12)], rate: 1e-3);
            run.Step([.. Enumerable.Range(20, 12)], rate: 1e-3);
            for (var step = 0; step < 1500; step++) run.Step([3, 30, 40], rate: 1e-3 * (step + 1) / 1500);
        }
        AssertSame(dense, deferred);
    }

    /// <summary>A table with a rate of its own, and one with the others' rate.</summary>
    [Fact]
    public void AdamW_RatesByWeight_GiveTheBitsOfTheDenseOptimizer()
    {
        static double Factor(Weight weight) => weight.Name.EndsWith("word_embeddings.weight", StringComparison.Ordinal) ? 0.3 : weight.IsTable ? 1 : 0.5;
        using Run deferred = new(defersRows: true, 0.1, 0.9, 0.999, Factor), dense = new(defersRows: false, 0.1, 0.9, 0.999, Factor), plain = new(defersRows: true, 0.1, 0.9, 0.999);
        var random = new Random(3);
        for (var step = 0; step < 40; step++)
        {
            var (ids, rate) = (Ids(random, Config.VocabSize), random.NextDouble() * 1e-2);
            foreach (var run in (Run[])[deferred, dense, plain]) run.Step(ids, rate);
        }
        AssertSame(dense, deferred);
        Assert.NotEqual(LibTorch.Span(plain.Model.Weights.Values).ToArray(), LibTorch.Span(deferred.Model.Weights.Values).ToArray());
    }

    [Fact]
    public void Step_WithoutReading_LeavesUnusedRowsAlone()
    {
        using Run run = new(defersRows: true, 0.1, 0.9, 0.999);
        var table = run.Model.Weights["bert.embeddings.word_embeddings.weight"];
        var before = Row(table, 50);
        run.Step([1, 2, 3], rate: 1e-2);
        Assert.Equal(before, Row(table, 50));
        _ = table.Data;
        Assert.NotEqual(before, Row(table, 50));
    }

    [Fact]
    public void Gradients_ReadOrWrittenByTheUser_CountForAllRows()
    {
        using Run deferred = new(defersRows: true, 0, 0.9, 0.999), dense = new(defersRows: false, 0, 0.9, 0.999);
        foreach (var run in (Run[])[deferred, dense])
        {
            run.Step([1, 2, 3], rate: 1e-2);
            run.Step([4, 5, 6], rate: 1e-2, beforeUpdate: weights => weights.Gradients.fill_(0.01f));
            run.Step([7, 8, 9], rate: 1e-2);
        }
        AssertSame(dense, deferred);
    }

    [Fact]
    public void Dispose_BringsAllRowsUpToDate()
    {
        using var dense = new Run(defersRows: false, 0.1, 0.9, 0.999);
        using var deferred = new Run(defersRows: true, 0.1, 0.9, 0.999);
        dense.Step([1, 2, 3], rate: 1e-2);
        deferred.Step([1, 2, 3], rate: 1e-2);
        deferred.Optimizer.Dispose();
        Assert.Equal(Row(dense.Model.Weights["bert.embeddings.word_embeddings.weight"], 50), Row(deferred.Model.Weights["bert.embeddings.word_embeddings.weight"], 50));
    }

    private static int[] Ids(Random random, int vocabulary) => [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(vocabulary))];

    private static float[] Row(Weight table, int row) => new Span<float>(table.RawData + row * Config.HiddenSize, Config.HiddenSize).ToArray();

    private static void AssertSame(Run expected, Run actual)
    {
        AssertBits(LibTorch.Span(expected.Model.Weights.Values), LibTorch.Span(actual.Model.Weights.Values), "values");
        foreach (var (name, state) in expected.Optimizer.State) AssertBits(LibTorch.Span(state), LibTorch.Span(actual.Optimizer.State[name]), name);
    }

    private static void AssertBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]), $"{what}[{i}]: {expected[i]:R} and {actual[i]:R}");
    }

    private sealed class Run(bool defersRows, double decay, double beta1, double beta2, Func<Weight, double>? rateFactorOf = null) : IDisposable
    {
        internal BertForSequenceClassification Model { get; } = BertForSequenceClassification.FromConfig(Config);

        internal AdamW Optimizer => _optimizer ??= new AdamW(Model.Weights, 1e-3, beta1, beta2, 1e-8, decay, defersRows) { RateFactorOf = rateFactorOf };

        private AdamW? _optimizer;

        internal void Step(int[] ids, double rate, Action<WeightStore>? beforeUpdate = null)
        {
            (Model.Training, Model.DropoutKey) = (true, (1, Optimizer.StepCount));
            Optimizer.LearningRate = rate;
            var batch = Batch.Pack([new TokenizedRow(ids), new TokenizedRow([ids[0]])], new ClassLabels([1, 0]));
            using var output = Model.Forward(batch);
            output.Backward();
            beforeUpdate?.Invoke(Model.Weights);
            Optimizer.Step(GradientNorm.ClipFactor(GradientNorm.Compute(Model.Weights), 0.5));
            Optimizer.ZeroGrad();
        }

        public void Dispose()
        {
            Optimizer.Dispose();
            Model.Dispose();
        }
    }
}
