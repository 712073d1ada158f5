using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Tests.Models;

/// <summary>Computing a part again in backward, on a device, gives the same numbers to the bit, whatever is dropped, trained or added; only what is kept differs. Where layers share weights, to rounding.</summary>
[Collection("torch")]
public sealed class DeviceSegmentsTests
{
    /// <summary>Families whose layers have weights of their own, or share some, and with a projection of the embeddings, or without; and each precision.</summary>
    public static TheoryData<string, Precision> Cases()
    {
        var cases = new TheoryData<string, Precision>();
        foreach (var family in ModelTypes.Names)
            foreach (var precision in Enum.GetValues<Precision>()) cases.Add(family, precision);
        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Backward_GradientCheckpointing_GivesTheSame(string family, Precision precision)
    {
        using var model = Model(family, 4);
        model.Precision = precision;
        var (kept, again) = (Gradients(model, isOn: false, batches: 3), Gradients(model, isOn: true, batches: 3));
        Assert.Contains(kept, value => value != 0);
        // The gradients of weights that layers share are added up layer by layer, which is another order of summation.
        if (model.Config is AlbertConfig or MPNetConfig or DebertaV2Config) TensorAssert.Close(kept, again, (precision == Precision.Float32 ? 1e-6 : 1e-2) * kept.Max(Math.Abs), family);
        else Assert.Equal(kept, again);
        model.DropoutKey = (7, 4);
        Assert.NotEqual(again, Gradients(model, isOn: true, batches: 3));
    }

    /// <summary>
    /// Cut between its parts a pass gives the same, and backward says of each part when it is done: the gradients of that are whole then, whatever type products are in, and nobody touches them
    /// until all is over.
    /// </summary>
    [Theory, MemberData(nameof(Cases))]
    public void Backward_CutBetweenParts_GivesTheSameAndSaysWhatIsWhole(string family, Precision precision)
    {
        using var model = Model(family, 4);
        model.Precision = precision;
        var expected = Gradients(model, isOn: false, batches: 2);
        (model.Training, model.Encoder.TellsPartsOnDevice) = (true, true);
        model.Weights.ClearGradients();
        using (var first = model.Forward(Families.Rows())) first.Backward(0.5);
        List<int> said = [];
        Dictionary<Weight, float[]> whole = [];
        model.Encoder.PartDone = part =>
        {
            said.Add(part);
            foreach (var weight in model.Encoder.Parts[part].Where(weight => !weight.IsTable && whole.TryAdd(weight, [])))
            {
                var device = model.Weights.OnDevice!;
                device.EndBackward(weight.Offset, weight.NumberOfElements);
                using var gradient = device.Gradients.narrow(0, weight.Offset, weight.NumberOfElements);
                whole[weight] = gradient.data<float>().ToArray();
                gradient.add_(1000);                                       // what is done with it now stays
            }
        };
        using (var second = model.Forward(Families.Rows(firstRowNumber: 2))) second.Backward(0.5);
        model.Encoder.PartDone = null;
        Assert.Equal(model.Config is AlbertConfig ? [1] : [4, 3, 2, 1], said);
        var tolerance = model.Config is AlbertConfig or MPNetConfig or DebertaV2Config ? (precision == Precision.Float32 ? 1e-6 : 1e-2) * expected.Max(Math.Abs) : 0;
        foreach (var (weight, gradient) in whole) TensorAssert.Close(expected.AsSpan((int)weight.Offset, gradient.Length), gradient, tolerance, weight.Name);
        foreach (var weight in model.Weights.All)
        {
            using var gradient = weight.Gradient;
            var actual = gradient.data<float>().ToArray();
            if (whole.TryGetValue(weight, out var before)) Assert.Equal(before.Select(value => value + 1000), actual);
            else TensorAssert.Close(expected.AsSpan((int)weight.Offset, actual.Length), actual, tolerance, weight.Name);
        }
    }

    /// <summary>Parts from the embeddings on are frozen, up to all: backward goes as far as it must.</summary>
    [Fact]
    public void Backward_FrozenParts_GivesTheSameToTheBit()
    {
        using var model = Model("bert", 3);
        for (var frozen = 0; frozen <= 4; frozen++)
        {
            foreach (var weight in model.Encoder.Parts.Take(frozen).SelectMany(part => part)) weight.RequiresGrad = false;
            Assert.Equal(frozen, model.Encoder.FrozenParts);
            Assert.Equal(Gradients(model, isOn: false, batches: 2), Gradients(model, isOn: true, batches: 2));
        }
    }

    /// <summary>Tables of relative positions count as embeddings, but are read by the layers.</summary>
    [Theory, InlineData("mpnet", "relative_attention_bias"), InlineData("deberta-v2", "rel_embeddings")]
    public void Backward_RelativePositionsAloneTrained_GivesTheSame(string family, string table)
    {
        using var model = Model(family, 3);
        foreach (var weight in model.Weights.All) weight.RequiresGrad = weight.Name.Contains(table, StringComparison.Ordinal);
        var trained = model.Weights.All.Single(weight => weight.RequiresGrad);
        float[] Of(float[] gradients) => gradients.AsSpan((int)trained.Offset, (int)trained.NumberOfElements).ToArray();
        var kept = Of(Gradients(model, isOn: false, batches: 2));
        Assert.Contains(kept, value => value != 0);
        TensorAssert.Close(kept, Of(Gradients(model, isOn: true, batches: 2)), 1e-6 * kept.Max(Math.Abs), family);
    }

    [Theory, InlineData(Precision.Float32), InlineData(Precision.BFloat16)]
    public void Backward_AdapterAndNoise_GivesTheSameToTheBit(Precision precision)
    {
        using var model = AutoModelForSequenceClassification.FromConfig(Config("bert", 4), seed: 1,
            lora: new LoraConfig { TargetModules = ["query", "value", "classifier"], LoraDropout = 0.3, ModulesToSave = ["word_embeddings"] });
        foreach (var layer in model.Adapter!.Layers) layer.B.Span.Fill(0.1f);
        (model.Precision, model.NeftuneNoiseAlpha) = (precision, 5);
        model.ComputeOn(CPU);
        var kept = Gradients(model, isOn: false, batches: 2);
        Assert.Equal(kept, Gradients(model, isOn: true, batches: 2));
        model.NeftuneNoiseAlpha = 0;
        Assert.NotEqual(kept, Gradients(model, isOn: true, batches: 2));
    }

    /// <summary>Two passes may be under way before the first goes back, and one may never go back.</summary>
    [Fact]
    public void Backward_PassesAtTheSameTime_DoNotDisturbEachOther()
    {
        using var model = Model("bert", 3);
        var expected = new[] { false, true }.Select(isOn =>
        {
            (model.Training, model.GradientCheckpointing) = (true, isOn);
            model.Weights.ClearGradients();
            using SequenceClassifierOutput first = model.Forward(Families.Rows(), null, new PassOptions()), unused = model.Forward(Families.Rows(5)),
                second = model.Forward(Families.Rows(), null, new PassOptions { Number = 1 });
            first.Backward();
            second.Backward();
            return model.Weights.Gradients.data<float>().ToArray();
        }).ToList();
        Assert.Equal(expected[0], expected[1]);
    }

    [Fact]
    public void Forward_GradientCheckpointing_KeepsSegmentsInTrainingAlone()
    {
        using var model = Model("bert", 3);
        Assert.Null(Kept(dropoutKey: 1));
        model.GradientCheckpointing = true;
        Assert.Null(Kept(dropoutKey: null));
        Assert.NotNull(Kept(dropoutKey: 1));

        DeviceSegments? Kept(ulong? dropoutKey)
        {
            using var said = model.OnDevice!.Forward(Families.Rows(), Precision.Float32, dropoutKey);
            return said.Segments;
        }
    }

    /// <summary>A layer leaves nothing behind but its output and what backward needs, with the option and without.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Forward_MoreLayers_LeaveNoMoreTensors(bool isTraining)
    {
        Assert.Equal(Left(2), Left(8));

        int Left(int layers)
        {
            using var model = Model("bert", layers);
            using var learning = set_grad_enabled(isTraining);
            using var scope = NewDisposeScope();
            var encoder = new DeviceEncoder(model.Weights, model.Config, model.Config.Form!, model.Config.EncoderPrefix, model.Encoder);
            var pass = encoder.Begin(Families.Rows(), Precision.Float32, isTraining ? 1ul : null);
            using var rows = pass.Batch;
            _ = encoder.Forward(pass, DeviceQueries.FirstTokens(pass.Batch));
            return scope.DisposablesCount;
        }
    }

    private static PreTrainedConfig Config(string family, int layers) =>
        Families.Tiny(family) with { NumHiddenLayers = layers, HiddenDropoutProb = 0.2, AttentionProbsDropoutProb = 0.2, ClassifierDropout = 0.2 };

    private static SequenceClassificationModel Model(string family, int layers)
    {
        var model = AutoModelForSequenceClassification.FromConfig(Config(family, layers), seed: 1);
        model.DropoutKey = (7, 3);
        model.ComputeOn(CPU);
        return model;
    }

    private static float[] Gradients(SequenceClassificationModel model, bool isOn, int batches)
    {
        (model.Training, model.GradientCheckpointing) = (true, isOn);
        model.Weights.ClearGradients();
        for (var batch = 0; batch < batches; batch++)
        {
            using var output = model.Forward(Families.Rows(firstRowNumber: 2 * batch));
            output.Backward(0.5);
        }
        return model.Weights.Gradients.data<float>().ToArray();
    }
}
