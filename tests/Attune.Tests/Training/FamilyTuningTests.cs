using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Tests.Models;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>What of a model is trained, and how fast, in families whose weights have other names than BERT's.</summary>
[Collection("torch")]
public sealed class FamilyTuningTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => Families.Names;

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Names))]
    public void Freeze_BaseModel_LeavesTheHeadAndTheSameGradients(string family)
    {
        using SequenceClassificationModel whole = Model(family), part = Model(family);
        new FrozenPart(null, WithPooler: true).Apply(part);
        Assert.Equal(part.Weights.All.Where(weight => !weight.Name.StartsWith(part.EncoderPrefix, StringComparison.Ordinal)), part.Weights.All.Where(weight => weight.RequiresGrad));
        Assert.True(part.Encoder.FrozenParts == 3, "backward does not reach the encoder");
        foreach (var model in (SequenceClassificationModel[])[whole, part])
        {
            (model.Training, model.DropoutKey) = (true, (1, 0));
            using var output = model.Forward(Families.Rows());
            output.Backward();
        }
        foreach (var weight in part.Weights.All.Where(weight => weight.RequiresGrad))
            Assert.Equal(whole.Weights[weight.Name].Gradient.data<float>().ToArray(), weight.Gradient.data<float>().ToArray());
    }

    /// <summary>What the frozen embeddings and layers give may be kept and given again.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Logits_KeptOutputOfTheFrozenPart_IsTheSame(string family)
    {
        foreach (var freeze in (ReadOnlySpan<string>)["embeddings", "encoder"])
        {
            using var model = Model(family);
            FrozenPart.Parse(freeze)!.Apply(model);
            using SequenceClassifierOutput plain = model.Logits(Families.Rows(), default),
                kept = model.Logits(Families.Rows(), new PassOptions { Frozen = model.Encoder.FrozenOutput(Families.Rows()) });
            Assert.Equal(plain.Logits, kept.Logits);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void RateGroups_LayerDecay_FallsFromTheHeadToTheEmbeddings(string family)
    {
        using var model = Model(family);
        var factor = RateGroups.Of(new TrainingArguments { LayerLrDecay = 0.5, HeadLearningRate = 1e-3, LearningRate = 1e-4 }, model)!;
        Assert.All(model.Encoder.Parts[0], weight => Assert.Equal(0.25, factor(weight)));
        Assert.All(model.Encoder.Parts[1].Except(model.Encoder.Parts[2]), weight => Assert.Equal(0.5, factor(weight)));
        Assert.All(model.Encoder.Parts[2], weight => Assert.Equal(1, factor(weight)));
        Assert.All(model.Weights.All.Where(weight => !weight.Name.StartsWith(model.EncoderPrefix, StringComparison.Ordinal)), weight => Assert.Equal(10, factor(weight), 1e-9));
    }

    /// <summary>Trained, saved, loaded and merged: the adapter is on the family's queries and values.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Lora_OfEveryFamily_ComesBackFromItsFilesAndMerges(string family)
    {
        var place = Path.Combine(_folder.Path, "base");
        using (var start = Model(family)) start.SavePretrained(place);
        using var model = AutoModelForSequenceClassification.FromPretrained(place, lora: new LoraConfig { R = 2, LoraDropout = 0.2, BaseModelNameOrPath = place });
        Assert.Equal(model.Config.AdapterTargets, model.Lora!.TargetModules);
        foreach (var layer in model.Adapter!.Layers) for (var i = 0; i < layer.B.Span.Length; i++) layer.B.Span[i] = 0.05f * (i % 7 - 3);
        (model.Training, model.DropoutKey) = (true, (3, 1));
        using (var output = model.Forward(Families.Rows())) output.Backward();
        Assert.All(model.Weights.All.Where(weight => weight.IsAdapter), weight => Assert.Contains(weight.Gradient.data<float>().ToArray(), value => value != 0));
        Assert.All(model.Weights.All.Where(weight => weight.Name.StartsWith("classifier.", StringComparison.Ordinal)), weight => Assert.True(weight.RequiresGrad));

        model.Training = false;
        var adapter = Path.Combine(_folder.Path, "adapter");
        model.SavePretrained(adapter);
        using var again = AutoModelForSequenceClassification.FromPretrained(adapter);
        using var merged = again.MergeAndUnload();
        using SequenceClassifierOutput a = model.Forward(Families.Rows()), b = again.Forward(Families.Rows()), c = merged.Forward(Families.Rows());
        Assert.Equal(a.Logits, b.Logits);
        TensorAssert.Close(a.Logits, c.Logits, 1e-5, family);
    }

    /// <summary>The gradient with dropout of the adapter, also where the layers that it is on share their weights, is the slope of the loss.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Lora_WithDropout_GradientIsTheSlopeOfTheLoss(string family)
    {
        using var model = AutoModelForSequenceClassification.FromConfig(
            Families.Tiny(family) with { HiddenDropoutProb = 0.1, AttentionProbsDropoutProb = 0.1 }, seed: 3, new LoraConfig { R = 2, LoraDropout = 0.3, TargetModules = [LoraConfig.AllLinear] });
        foreach (var layer in model.Adapter!.Layers) for (var i = 0; i < layer.B.Span.Length; i++) layer.B.Span[i] = 0.05f * (i % 7 - 3);
        (model.Training, model.DropoutKey) = (true, (7, 3));
        using (var output = model.Forward(Families.Rows())) output.Backward();
        var trained = model.Weights.All.Where(weight => weight.RequiresGrad).ToList();
        var before = trained.ConvertAll(weight => weight.Span.ToArray());
        var slopes = trained.ConvertAll(weight => weight.Gradient.data<float>().ToArray());
        var length = Math.Sqrt(slopes.Sum(slope => slope.Sum(x => (double)x * x)));
        double At(double by)
        {
            for (var w = 0; w < trained.Count; w++)
                for (var i = 0; i < before[w].Length; i++) trained[w].Span[i] = (float)(before[w][i] + by * slopes[w][i] / length);
            using var output = model.Forward(Families.Rows());
            return output.Loss!.Value;
        }
        var step = 1e-2 / Math.Max(1, length);
        var measured = (At(step) - At(-step)) / (2 * step);
        Assert.True(Math.Abs(measured - length) <= 0.02 * length, $"{family}: slope {measured}, length of the gradient {length}");
    }

    [Fact]
    public void Albert_WhatWouldTouchSharedWeights_IsRefused()
    {
        using var model = Model("albert");
        Assert.Equal("freeze is layers:1, but layers above share their weights with those; give embeddings or encoder.",
            Assert.Throws<AttuneException>(() => new FrozenPart(1).Apply(model)).Message);
        Assert.Equal("reinit_layers is 1, but layers below share their weights with those; give 2, or leave it out.",
            Assert.Throws<AttuneException>(() => FreshLayers.Check(new TrainingArguments { ReinitLayers = 1 }, model)).Message);
        FreshLayers.Check(new TrainingArguments { ReinitLayers = 2 }, model);
    }

    [Fact]
    public void Albert_GroupsOfLayers_AreFrozenOneByOne()
    {
        using var model = AutoModelForSequenceClassification.FromConfig((AlbertConfig)Families.Tiny("albert") with { NumHiddenLayers = 4, NumHiddenGroups = 2 });
        new FrozenPart(2).Apply(model);
        Assert.All(model.Weights.All, weight => Assert.Equal(
            !weight.Name.Contains("embedding", StringComparison.Ordinal) && !weight.Name.Contains("groups.0.", StringComparison.Ordinal), weight.RequiresGrad));
    }

    /// <summary>Integrated gradients add up to the difference of the logits, also where embeddings are smaller than hidden states.</summary>
    [Theory, MemberData(nameof(Names))]
    public void IntegratedGradients_OfEveryFamily_AddUpToTheDifference(string family)
    {
        using var model = Model(family);
        Attune.Batching.TokenizedRow row = new([2, 7, 9, 11, 3]), baseline = new([2, 4, 4, 4, 3]);
        var scores = IntegratedGradients.Of(model, row, baseline, column: 1, steps: 64);
        using SequenceClassifierOutput of = model.Forward(Attune.Batching.Batch.Pack([row])), from = model.Forward(Attune.Batching.Batch.Pack([baseline]));
        Assert.Equal(of.Logits[1] - from.Logits[1], scores.Sum(), 0.02 * Math.Max(1, Math.Abs(of.Logits[1] - from.Logits[1])));
    }

    /// <summary>Cut into parts, an update is the same, to rounding.</summary>
    [Theory, MemberData(nameof(Names))]
    public void MicroBatches_OfEveryFamily_GiveTheSameGradients(string family)
    {
        using SequenceClassificationModel whole = Model(family), parts = Model(family);
        foreach (var model in (SequenceClassificationModel[])[whole, parts]) (model.Training, model.DropoutKey) = (true, (5, 2));
        using (var output = whole.Forward(Families.Rows())) output.Backward();
        for (var row = 0; row < 2; row++)
        {
            Attune.Batching.TokenizedRow[] rows = [new([2, 7, 9, 11, 3]), new([2, 8, 8, 3])];
            using var output = parts.Forward(Attune.Batching.Batch.Pack([rows[row]], new Attune.Batching.ClassLabels([row == 0 ? 0 : 2]), firstRowNumber: row));
            output.Backward(0.5);
        }
        var norm = GradientNorm.Compute(parts.Weights);
        // The squares that products sum up as they write: of weights that several layers or products share, the last of them.
        var squares = parts.Weights.All.Sum(weight => weight.Gradient.data<float>().ToArray().Sum(value => (double)value * value));
        Assert.Equal(Math.Sqrt(squares), norm, 1e-5 * Math.Sqrt(squares));
        foreach (var weight in whole.Weights.All)
            TensorAssert.CloseGradient(weight.Gradient.data<float>().ToArray(), parts.Weights[weight.Name].Gradient.data<float>().ToArray(), $"{family}, {weight.Name}");
    }

    private static SequenceClassificationModel Model(string family) =>
        AutoModelForSequenceClassification.FromConfig(Families.Tiny(family) with { HiddenDropoutProb = 0.1, AttentionProbsDropoutProb = 0.1 }, seed: 4);
}
