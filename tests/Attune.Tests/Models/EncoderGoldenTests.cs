using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Formats;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Models;

/// <summary>Every family of encoders against transformers, on random weights (golden folder encoders).</summary>
[Collection("torch")]
public sealed class EncoderGoldenTests : IDisposable
{
    // float32 with another order of summation; the tolerances that the golden data's README suggests.
    private const double LogitTolerance = 2e-5, LossTolerance = 1e-5;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The cases whose family Attune has, with a head that classifies rows.</summary>
    public static TheoryData<string> Cases() => Golden.Folder("encoders") is { } root
        ? [.. Directory.EnumerateDirectories(root).Where(folder => Golden.Json(folder, "expected.json").GetProperty("model_class").GetString()!
            .EndsWith("ForSequenceClassification", StringComparison.Ordinal) && ModelTypes.Names.Contains(Golden.Json(folder, "config.json").GetProperty("model_type").GetString()))
            .Select(folder => Path.GetFileName(folder)!).Order()]
        : ["absent"];

    [Theory, MemberData(nameof(Cases))]
    public void LogitsAndLosses_EqualTransformers(string name)
    {
        var (folder, inputs, expected) = Open(name);
        var cases = 0;
        foreach (var (id, batch) in inputs)
        {
            if (!expected.GetProperty("batches").TryGetProperty(id, out var golden)) continue;
            foreach (var loss in golden.GetProperty("loss").EnumerateObject())
            {
                var labels = GoldenBatches.Labels(loss.Name, batch.GetProperty("labels").GetProperty(loss.Name));
                using var model = AutoModelForSequenceClassification.FromPretrained(folder, problemType: GoldenBatches.Problem(loss.Name));
                using var output = model.Forward(GoldenBatches.Padded(batch, labels));
                TensorAssert.Close(GoldenBatches.Floats(golden.GetProperty("logits")), output.Logits, LogitTolerance, $"{name}, {id}, logits");
                TensorAssert.Close([(float)loss.Value.GetDouble()], [(float)output.Loss!.Value], LossTolerance, $"{name}, {id}, {loss.Name}");
                cases++;
            }
        }
        Assert.True(cases > 0, "no case found");
    }

    [Theory, MemberData(nameof(Cases))]
    public void PackedRows_GiveWhatThePaddedBatchGives(string name)
    {
        var (folder, inputs, expected) = Open(name);
        var (id, batch) = inputs.First(pair => pair.Key == "mixed_right_padded");
        var (ids, mask, types) = (GoldenBatches.Ints(batch, "input_ids")!, GoldenBatches.Ints(batch, "attention_mask")!, GoldenBatches.Ints(batch, "token_type_ids"));
        var rows = ids.Select((row, i) => new TokenizedRow(row[..mask[i].Sum()], types?[i][..mask[i].Sum()] ?? new int[mask[i].Sum()])).ToList();
        using var model = AutoModelForSequenceClassification.FromPretrained(folder);
        using var output = model.Forward(Batch.Pack(rows));
        TensorAssert.Close(GoldenBatches.Floats(expected.GetProperty("batches").GetProperty(id).GetProperty("logits")), output.Logits, LogitTolerance, $"{name}, packed");
    }

    /// <summary>Those of them that come with hidden states: in the repository some, which is enough beside every gradient.</summary>
    public static TheoryData<string> CasesWithStates() =>
        Golden.Folder("encoders") is { } root ? [.. Cases().Select(row => row.Data).Where(name => Golden.Files(Path.Combine(root, name), "expected_hidden.safetensors").Count == 1)] : ["absent"];

    [Theory, MemberData(nameof(CasesWithStates))]
    public void HiddenStates_EqualTransformersWhereTheMaskIsOne(string name)
    {
        var (folder, inputs, _) = Open(name);
        var tolerance = name.StartsWith("modernbert", StringComparison.Ordinal) || name == "electra_factorised" ? 1e-4 : 5e-5;
        var expected = GoldenBatches.Tensors(folder, "expected_hidden.safetensors");
        using var model = AutoModelForSequenceClassification.FromPretrained(folder);
        var compared = 0;
        foreach (var (id, batch) in inputs.Where(pair => expected.Keys.Any(key => key.StartsWith(pair.Key + ".", StringComparison.Ordinal))))
        {
            var (states, pooled) = model.AllStates(GoldenBatches.Padded(batch));
            for (var layer = 0; layer < states.Count; layer++)
                if (expected.TryGetValue($"{id}.hidden_states.{layer}", out var golden))
                    compared += GoldenBatches.CompareRealTokens(golden, states[layer].data<float>().ToArray(), batch, model.Config.HiddenSize, tolerance,
                        $"{name}, {id}, layer {layer}", model.Encoder.ReadsPadding);
            if (expected.TryGetValue(id + ".pooled_output", out var read))
                TensorAssert.Close(read, pooled.data<float>().ToArray(), tolerance, $"{name}, {id}, pooled output");
            foreach (var state in states.Append(pooled)) state.Dispose();
        }
        Assert.True(compared > 0, "nothing was compared");
    }

    [Theory, MemberData(nameof(Cases))]
    public void Gradients_EqualTransformers(string name)
    {
        var (folder, inputs, _) = Open(name);
        var batch = inputs["grad_batch"];
        var files = Golden.Files(folder, ".safetensors").Where(file => file.StartsWith("expected_grads_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var expected = GoldenBatches.Tensors(folder, file);
            using var model = Ready(folder, file["expected_grads_".Length..^".safetensors".Length], out var key);
            foreach (var checkpointing in (ReadOnlySpan<bool>)[false, true])
            {
                (model.Training, model.GradientCheckpointing) = (true, checkpointing);
                model.Weights.ClearGradients();
                using var output = model.Forward(GoldenBatches.Padded(batch, GoldenBatches.Labels(key, batch.GetProperty("labels").GetProperty(key))));
                output.Backward();
                Assert.Equal(expected.Keys.Order(), model.Weights.All.Select(weight => weight.Name).Order());
                foreach (var weight in model.Weights.All)
                {
                    using var gradient = weight.Gradient;
                    TensorAssert.CloseGradient(expected[weight.Name], gradient.data<float>().ToArray(), $"{name}, {file}, {weight.Name}");
                }
            }
        }
    }

    /// <summary>Dropout at all its places: backward drops what forward dropped.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Backward_WithDropout_IsTheSlopeOfTheLoss(string name)
    {
        var (folder, inputs, _) = Open(name);
        using var model = AutoModelForSequenceClassification.FromPretrained(folder, problemType: ProblemType.MultiLabelClassification,
            configure: config => config with { HiddenDropoutProb = 0.2, AttentionProbsDropoutProb = 0.2, ClassifierDropout = 0.2 });
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
    }

    [Theory, MemberData(nameof(Cases))]
    public void SavePretrained_WritesTheFolderAsItWas(string name)
    {
        var (folder, _, expected) = Open(name);
        using var model = AutoModelForSequenceClassification.FromPretrained(folder);
        Assert.Equal(expected.GetProperty("parameter_count").GetInt64(), model.ParameterCount);
        Assert.Equal(expected.GetProperty("parameter_tensors").GetInt32(), model.Weights.All.Count);
        Assert.Equal("", model.LoadReport.Describe());
        model.SavePretrained(_folder.Path);
        Assert.Equal(GoldenBatches.Bytes(folder, WeightFiles.SafeTensorsName), File.ReadAllBytes(Path.Combine(_folder.Path, WeightFiles.SafeTensorsName)));
        var written = File.ReadAllText(Path.Combine(_folder.Path, PreTrainedConfig.FileName));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(GoldenBatches.Bytes(folder, PreTrainedConfig.FileName)), JsonNode.Parse(written)), $"{name}: {written}");
    }

    /// <summary>A configuration that is not read from a file has all fields that transformers writes.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void ToJson_NewConfiguration_HasTheFieldsOfTransformers(string name)
    {
        var (folder, _, expected) = Open(name);
        var known = ((JsonObject)JsonNode.Parse(GoldenBatches.Bytes(folder, PreTrainedConfig.FileName))!).Select(pair => pair.Key);
        using var model = AutoModelForSequenceClassification.FromPretrained(folder);
        var config = ModelTypes.New(new ConfigReader(new JsonObject { ["model_type"] = model.Config.ModelType }, "new"));
        var fields = (config with { LabelNames = model.Config.LabelNames }).ToJson(expected.GetProperty("model_class").GetString()!);
        // DeBERTa's class has fields that no configuration has by itself.
        string[] optional = ["attention_head_size", "conv_act", "conv_kernel_size", "embedding_size", "norm_rel_ebd", "position_buckets", "share_att_key"];
        Assert.Empty(known.Except(fields.Select(pair => pair.Key)).Except(optional));
    }

    internal static (string Folder, Dictionary<string, JsonElement> Inputs, JsonElement Expected) Open(string name)
    {
        var folder = Path.Combine(Golden.Require("encoders"), name);
        var inputs = Golden.Json(folder, "inputs.json").GetProperty("batches").EnumerateArray().ToDictionary(batch => batch.GetProperty("name").GetString()!);
        return (folder, inputs, Golden.Json(folder, "expected.json"));
    }

    /// <summary>A model with every dropout at 0, as the golden gradients were made.</summary>
    internal static SequenceClassificationModel Ready(string folder, string problem, out string key)
    {
        var count = PreTrainedConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName)).NumLabels;
        key = problem switch
        {
            "single_label_classification" => $"single_label_{count}",
            "multi_label_classification" => $"multi_label_{count}",
            _ => $"regression_{count}",
        };
        return AutoModelForSequenceClassification.FromPretrained(folder, problemType: GoldenBatches.Problem(key),
            configure: config => config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0 });
    }
}
