using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Training;
using CsCheck;
using static TorchSharp.torch;

namespace Attune.Tests.Training;

/// <summary>One batch has one gradient, in whatever parts it goes through the model, for every kind of labels, every loss and every second pass.</summary>
[Collection("torch")]
public sealed class BatchGradientTests
{
    private static readonly TrainingArguments Plain = new();

    private static readonly Dictionary<string, TrainingArguments> Kinds = new()
    {
        ["classes"] = Plain,
        ["classes, smoothing"] = Plain with { LabelSmoothingFactor = 0.2 },
        ["classes, weights"] = Plain with { ClassWeights = "a=0.3,b=2,c=5" },
        ["classes, weights, one of them 0, smoothing"] = Plain with { ClassWeights = "a=0,b=2", LabelSmoothingFactor = 0.2 },
        ["classes, focal, weights"] = Plain with { ClassWeights = "b=2", FocalGamma = 2 },
        ["classes, r-drop, weights, noise"] = Plain with { ClassWeights = "a=0.3,b=2,c=5", RDropAlpha = 3, NeftuneNoiseAlpha = 10 },
        ["classes, fgm, weights, noise"] = Plain with { ClassWeights = "a=0.3,b=2,c=5", FgmEpsilon = 0.5, NeftuneNoiseAlpha = 10 },
        ["classes, own"] = Plain,
        ["classes, own, r-drop"] = Plain with { RDropAlpha = 1 },
        ["classes, own, fgm"] = Plain with { FgmEpsilon = 0.5 },
        ["several"] = Plain,
        ["several, weights"] = Plain with { PosWeights = "a=0.3,b=2,c=5" },
        ["several, focal, r-drop"] = Plain with { FocalGamma = 1.5, RDropAlpha = 2 },
        ["several, fgm"] = Plain with { FgmEpsilon = 0.3 },
        ["numbers"] = Plain,
        ["numbers, mae"] = Plain with { RegressionLoss = RegressionLoss.Mae },
        ["numbers, huber, r-drop"] = Plain with { RegressionLoss = RegressionLoss.Huber, HuberDelta = 0.5, RDropAlpha = 2 },
        ["numbers, fgm"] = Plain with { FgmEpsilon = 0.3 },
        ["numbers, own"] = Plain,
    };

    public static TheoryData<string> Names() => [.. Kinds.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Add_AnyParts_GiveOneLossAndOneGradient(string kind)
    {
        using var model = Model(kind);
        Gen.Select(Gen.Int[4, 9], Gen.Int[0, 100_000], Gen.Int[0, 5]).Sample((rows, seed, firstRowNumber) =>
        {
            var data = Data(kind, rows, seed);
            var (loss, gradient) = Run(kind, model, data, MicroBatches.Whole, firstRowNumber);
            Assert.Contains(gradient, value => value != 0);
            foreach (var parts in new[] { 2, 4, rows })
            {
                var (partLoss, partGradient) = Run(kind, model, data, MicroBatches.AtMost((rows + parts - 1) / parts), firstRowNumber);
                Assert.Equal(loss, partLoss, 1e-5 * Math.Max(1, loss));
                TensorAssert.CloseGradient(gradient, partGradient, $"{kind}, gradient in {parts} parts");
            }
        }, iter: 6, threads: 1);
    }

    /// <summary>The gradient is the slope of the loss: along it the loss rises as fast as it is long. Adversarial steps are left out: there the loss moves with them.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Add_AlongTheGradient_TheLossRisesByItsLength(string kind)
    {
        if (kind.Contains("fgm", StringComparison.Ordinal)) return;
        const float step = 2e-3f;
        using var model = Model(kind);
        var data = Data(kind, 6, seed: 4);
        var (_, gradient) = Run(kind, model, data, MicroBatches.Whole);
        var length = Math.Sqrt(gradient.Sum(value => (double)value * value));
        var weights = model.Weights.Values.data<float>().ToArray();
        var slope = (At(step) - At(-step)) / (2.0 * step);
        Assert.InRange(slope / length, 0.99, 1.01);

        double At(float along)
        {
            var values = LibTorch.Span(model.Weights.Values);
            for (var i = 0; i < values.Length; i++) values[i] = weights[i] + along * (float)(gradient[i] / length);
            return Run(kind, model, data, MicroBatches.Whole).Loss;
        }
    }

    /// <summary>In a row whose tokens all differ, the gradient of a token is that of its line of the table: so the step can be made in the table too.</summary>
    [Fact]
    public void Add_Fgm_AddsTheGradientOfTheRowMovedAlongItsOwn()
    {
        const double epsilon = 0.5;
        using var model = Model("classes");
        var row = new TokenizedRow([2, 7, 9, 30, 3]);
        var data = new TokenizedDataset([row], new ClassLabels([1]));
        var (loss, plain) = Run("classes", model, data, MicroBatches.Whole);
        var both = new BatchGradient(model, data, new Objective(model, LossOptions.Default), fgmEpsilon: epsilon);
        model.Weights.ClearGradients();
        var bothLoss = both.Add([0], 0, 1, MicroBatches.Whole).Value;
        var sum = model.Weights.Gradients.data<float>().ToArray();

        var table = model.Weights["bert.embeddings.word_embeddings.weight"];
        var slope = plain.AsSpan((int)table.Offset, (int)table.NumberOfElements).ToArray();
        var length = Math.Sqrt(slope.Sum(value => (double)value * value));
        for (var i = 0; i < slope.Length; i++) table.Span[i] += (float)(epsilon * slope[i] / length);
        var (movedLoss, moved) = Run("classes", model, data, MicroBatches.Whole);
        Assert.True(movedLoss > loss);
        Assert.Equal(loss + movedLoss, bothLoss, 1e-5);
        TensorAssert.CloseGradient([.. plain.Zip(moved, (a, b) => a + b)], sum, "gradients of both passes");
    }

    [Fact]
    public void Add_RowsOfWeightZero_SayNothing()
    {
        using var model = Model("classes");
        var data = new TokenizedDataset(TinyRun.Data(3).Rows, new ClassLabels([0, 0, ClassLabels.Ignored]));
        var (loss, gradient) = Run("classes, weights, one of them 0, smoothing", model, data, MicroBatches.Whole);
        Assert.Equal(0, loss);
        Assert.All(gradient, value => Assert.Equal(0, value));
    }

    /// <summary>Both passes by hand: their dropout differs, and the loss is the mean of the two plus the divergence.</summary>
    [Fact]
    public void Add_RDrop_IsTheMeanOfBothLossesAndTheirDivergence()
    {
        using var model = Model("classes");
        var data = Data("classes", 5, seed: 2);
        var labels = (ClassLabels)data.Labels!;
        var batch = data.Batch([0, 1, 2, 3, 4]);
        using SequenceClassifierOutput first = model.Forward(batch, null, default), second = model.Forward(batch, null, new PassOptions { Number = 1 });
        Assert.NotEqual(first.Logits, second.Logits);
        using var scope = NewDisposeScope();
        Tensor a = first.LogitsTensor.log_softmax(1), b = second.LogitsTensor.log_softmax(1);
        var counts = tensor(labels.Values).ne(ClassLabels.Ignored);
        var divergence = ((a.exp() * (a - b)).sum(1) + (b.exp() * (b - a)).sum(1))[counts].mean() / 2;
        var (loss, _) = Run("classes, r-drop", model, data, MicroBatches.Whole, args: Plain with { RDropAlpha = 3 });
        Assert.Equal((first.Loss!.Value + second.Loss!.Value) / 2 + 3 * divergence.item<float>(), loss, 1e-5);
    }

    [Fact]
    public void Forward_Noise_IsInTrainingOnlyAndAnewInEachUpdateAndPass()
    {
        using var model = BertForSequenceClassification.FromConfig(
            TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 }, seed: 1);
        var batch = TinyRun.Data(4).Batch([0, 1, 2, 3]);
        var plain = Logits();
        model.NeftuneNoiseAlpha = 10;
        Assert.Equal(plain, Logits());
        (model.Training, model.DropoutKey) = (true, (1, 1));
        var noisy = Logits();
        Assert.Equal(noisy, Logits());
        Assert.Equal(4, new[] { plain, noisy, Logits(1), After(2) }.Distinct(new SameNumbers()).Count());

        float[] Logits(int pass = 0)
        {
            using var output = model.Forward(batch, null, new PassOptions { Number = pass });
            return output.Logits;
        }

        float[] After(long update)
        {
            model.DropoutKey = (1, update);
            return Logits();
        }
    }

    [Fact]
    public void Loss_OwnThatCannotBeUsed_IsOneSentence()
    {
        using var model = Model("classes");
        Assert.EndsWith("it must be one number, such as the mean over the rows.", Message((logits, _) => logits.sum(1)), StringComparison.Ordinal);
        Assert.Contains("does not depend on the logits", Message((_, _) => tensor(1.0)), StringComparison.Ordinal);

        string Message(Func<Tensor, Labels, Tensor> own) => Assert.Throws<AttuneException>(
            () => new Objective(model, LossOptions.Default, own).Loss([[1, 2, 3, 4, 5, 6]], new ClassLabels([0, 1]), 2, out _)).Message;
    }

    private sealed class SameNumbers : IEqualityComparer<float[]>
    {
        public bool Equals(float[]? x, float[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(float[] numbers) => numbers[0].GetHashCode();
    }

    private static BertForSequenceClassification Model(string kind)
    {
        var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { InitializerRange = 0.2, LabelNames = kind.StartsWith("numbers", StringComparison.Ordinal) ? ["x"] : ["a", "b", "c"] }, seed: 1);
        (model.Training, model.DropoutKey) = (true, (5, 3));
        return model;
    }

    private static TokenizedDataset Data(string kind, int rows, int seed)
    {
        var random = new Random(seed);
        return new TokenizedDataset(TinyRun.Data(rows, seed).Rows, kind.Split(',')[0] switch
        {
            "classes" => new ClassLabels([.. Enumerable.Range(0, rows).Select(row => row > 0 && random.Next(3) == 0 ? ClassLabels.Ignored : random.Next(row == 0 ? 1 : 0, 3))]),
            "several" => new MultiLabels([.. Enumerable.Range(0, rows * 3).Select(_ => (float)random.Next(2))], 3),
            _ => new RegressionTargets([.. Enumerable.Range(0, rows).Select(_ => random.NextSingle() * 3)]),
        });
    }

    /// <summary>A loss that joins the rows of a batch with each other.</summary>
    private static Tensor Own(Tensor logits, Labels labels) => logits.square().mean() + (logits - logits.mean([0L])).abs().mean() * labels.Rows;

    private static (double Loss, float[] Gradient) Run(
        string kind, BertForSequenceClassification model, TokenizedDataset data, MicroBatches cuts, int firstRowNumber = 0, TrainingArguments? args = null)
    {
        args ??= Kinds[kind];
        model.NeftuneNoiseAlpha = args.NeftuneNoiseAlpha ?? 0;
        var options = LossArguments.Read(args, model, data.Labels, data.Labels, _ => { });
        var objective = new Objective(model, options, kind.Contains("own", StringComparison.Ordinal) ? Own : null, args.RDropAlpha);
        model.Weights.ClearGradients();
        int[] rows = [.. Enumerable.Range(0, data.Count)];
        var loss = new BatchGradient(model, data, objective, fgmEpsilon: args.FgmEpsilon).Add(rows, firstRowNumber, 0.5, cuts).Value / 0.5;
        var gradient = model.Weights.Gradients.data<float>().ToArray();
        return (loss, Array.ConvertAll(gradient, value => value / 0.5f));
    }
}
