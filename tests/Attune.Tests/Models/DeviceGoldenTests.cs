using Attune.Batching;
using Attune.Formats;
using Attune.Models;
using Attune.Tests.Datasets;
using static TorchSharp.torch;

namespace Attune.Tests.Models;

/// <summary>
/// The way through a model that graphics cards take, by libtorch's operators and autograd, against transformers and against the kernels of the processor. It runs on the processor here: all but the
/// card's own kernels is the same.
/// </summary>
[Collection("torch")]
public sealed class DeviceGoldenTests : IDisposable
{
    // As in EncoderGoldenTests.
    private const double LogitTolerance = 2e-5, LossTolerance = 1e-5, StateTolerance = 1e-4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Cases() => EncoderGoldenTests.Cases();

    [Theory, MemberData(nameof(Cases))]
    public void LogitsAndLosses_PaddedAndPacked_EqualTransformers(string name)
    {
        var (folder, inputs, expected) = EncoderGoldenTests.Open(name);
        var cases = 0;
        foreach (var (id, batch) in inputs)
        {
            if (!expected.GetProperty("batches").TryGetProperty(id, out var golden)) continue;
            foreach (var loss in golden.GetProperty("loss").EnumerateObject())
            {
                var labels = GoldenBatches.Labels(loss.Name, batch.GetProperty("labels").GetProperty(loss.Name));
                using var model = OnDevice(AutoModelForSequenceClassification.FromPretrained(folder, problemType: GoldenBatches.Problem(loss.Name)));
                using var output = model.Forward(GoldenBatches.Padded(batch, labels));
                TensorAssert.Close(GoldenBatches.Floats(golden.GetProperty("logits")), output.Logits, LogitTolerance, $"{name}, {id}, logits");
                TensorAssert.Close([(float)loss.Value.GetDouble()], [(float)output.Loss!.Value], LossTolerance, $"{name}, {id}, {loss.Name}");
                cases++;
            }
        }
        Assert.True(cases > 0, "no case found");
    }

    [Theory, MemberData(nameof(Cases))]
    public void HiddenStates_EqualTheProcessors(string name)
    {
        var (folder, inputs, _) = EncoderGoldenTests.Open(name);
        using var model = AutoModelForSequenceClassification.FromPretrained(folder);
        foreach (var (id, batch) in inputs)
        {
            var (states, pooled) = model.AllStates(GoldenBatches.Padded(batch));
            using var other = OnDevice(AutoModelForSequenceClassification.FromPretrained(folder));
            var (found, read) = other.AllStates(GoldenBatches.Padded(batch));
            Assert.Equal(states.Count, found.Count);
            foreach (var (layer, (expected, actual)) in states.Append(pooled).Zip(found.Append(read)).Index())
                using (expected)
                using (actual) TensorAssert.Close(expected.data<float>().ToArray(), actual.data<float>().ToArray(), StateTolerance, $"{name}, {id}, state {layer}");
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Gradients_EqualTransformers(string name)
    {
        var (folder, inputs, _) = EncoderGoldenTests.Open(name);
        var batch = inputs["grad_batch"];
        foreach (var file in Golden.Files(folder, ".safetensors").Where(file => file.StartsWith("expected_grads_", StringComparison.Ordinal)))
        {
            var expected = GoldenBatches.Tensors(folder, file);
            using var model = OnDevice(EncoderGoldenTests.Ready(folder, file["expected_grads_".Length..^".safetensors".Length], out var key));
            model.Training = true;
            for (var time = 0; time < 2; time++)                           // the second time nothing of the first must be left
            {
                model.Weights.ClearGradients();
                using var output = model.Forward(GoldenBatches.Padded(batch, GoldenBatches.Labels(key, batch.GetProperty("labels").GetProperty(key))));
                output.Backward();
                foreach (var weight in model.Weights.All)
                {
                    using var gradient = weight.Gradient;
                    TensorAssert.CloseGradient(expected[weight.Name], gradient.data<float>().ToArray(), $"{name}, {file}, {weight.Name}");
                }
            }
        }
    }

    /// <summary>Tokens that see nothing, and padding, must not make gradients no numbers.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Gradients_HiddenTokens_EqualTheProcessors(string name)
    {
        var (folder, inputs, _) = EncoderGoldenTests.Open(name);
        foreach (var (id, padded) in inputs.Where(pair => pair.Key is "left_padded" or "long_left_padded" or "mask_with_hole"))
        {
            using SequenceClassificationModel own = Learned(isOnDevice: false), other = Learned(isOnDevice: true);
            foreach (var weight in own.Weights.All)
            {
                using Tensor expected = weight.Gradient, actual = other.Weights[weight.Name].Gradient;
                TensorAssert.CloseGradient(expected.data<float>().ToArray(), actual.data<float>().ToArray(), $"{name}, {id}, {weight.Name}");
            }

            SequenceClassificationModel Learned(bool isOnDevice)
            {
                var model = EncoderGoldenTests.Ready(folder, "multi_label_classification", out _);
                if (isOnDevice) model.ComputeOn(CPU);
                model.Training = true;
                var (rows, classes) = (GoldenBatches.Ints(padded, "input_ids")!.Length, model.Config.NumLabels);
                using var output = model.Forward(GoldenBatches.Padded(padded, new MultiLabels([.. Enumerable.Range(0, rows * classes).Select(i => (float)(i % 2))], classes)));
                output.Backward();
                return model;
            }
        }
    }

    /// <summary>Dropout at all its places, the same for the same key, whatever was drawn before.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Backward_WithDropout_IsTheSlopeOfTheLoss(string name)
    {
        var (folder, inputs, _) = EncoderGoldenTests.Open(name);
        using var model = OnDevice(AutoModelForSequenceClassification.FromPretrained(folder, problemType: ProblemType.MultiLabelClassification,
            configure: config => config with { HiddenDropoutProb = 0.2, AttentionProbsDropoutProb = 0.2, ClassifierDropout = 0.2 }));
        (model.Training, model.DropoutKey) = (true, (7, 3));
        var rows = GoldenBatches.Ints(inputs["grad_batch"], "input_ids")!.Length;
        var batch = GoldenBatches.Padded(inputs["grad_batch"], new MultiLabels([.. Enumerable.Range(0, rows * model.Config.NumLabels).Select(i => (float)(i % 2))], model.Config.NumLabels));
        using (var output = model.Forward(batch)) output.Backward();
        using var slopes = model.Weights.Gradients.clone();
        var (slope, before) = (slopes.data<float>().ToArray(), model.Weights.Values.data<float>().ToArray());
        var length = Math.Sqrt(slope.Sum(x => (double)x * x));
        double At(double by)
        {
            var moved = before.Select((value, i) => (float)(value + by * slope[i] / length)).ToArray();
            foreach (var weight in model.Weights.All) moved.AsSpan((int)weight.Offset, (int)weight.NumberOfElements).CopyTo(weight.Span);
            using var output = model.Forward(batch);
            return output.Loss!.Value;
        }
        var step = 2e-2 / Math.Max(1, length);
        var measured = (At(step) - At(-step)) / (2 * step);
        Assert.True(Math.Abs(measured - length) <= 0.02 * length, $"{name}: slope {measured}, length of the gradient {length}");
        Assert.Equal(At(0), At(0));
        var same = At(0);
        model.DropoutKey = (7, 4);
        Assert.NotEqual(same, At(0));
    }

    [Theory, MemberData(nameof(Cases))]
    public void SavePretrained_WritesTheFolderAsItWas(string name)
    {
        var (folder, inputs, _) = EncoderGoldenTests.Open(name);
        using var model = OnDevice(AutoModelForSequenceClassification.FromPretrained(folder));
        using (model.Forward(GoldenBatches.Padded(inputs.First().Value))) model.SavePretrained(_folder.Path);
        using var source = Golden.Open(folder, WeightFiles.SafeTensorsName);
        using var copy = new MemoryStream();
        source.CopyTo(copy);
        Assert.Equal(copy.ToArray(), File.ReadAllBytes(Path.Combine(_folder.Path, WeightFiles.SafeTensorsName)));
    }

    private static SequenceClassificationModel OnDevice(SequenceClassificationModel model)
    {
        model.ComputeOn(CPU);
        return model;
    }
}
