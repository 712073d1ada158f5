using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Formats;
using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;

namespace Attune.Tests.Models;

/// <summary>Adapters of PEFT on a small random model: what they compute, how they train, and their files (golden folder lora).</summary>
[Collection("torch")]
public sealed class LoraGoldenTests : IDisposable
{
    // The tolerances that the golden data's README suggests: float32 with another order of summation.
    private const double LogitTolerance = 2e-5, MergedTolerance = 2e-6, LossTolerance = 1e-5, NormTolerance = 5e-5, WeightTolerance = 2e-4, AfterwardsTolerance = 5e-5;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Cases() =>
        Golden.Folder("lora") is { } root ? [.. Directory.EnumerateDirectories(root).Select(folder => Path.GetFileName(folder)!).Order()] : ["absent"];

    /// <summary>Each by the processor's kernels and by the way that graphics cards take.</summary>
    public static TheoryData<string, bool> CasesAndDevices()
    {
        var cases = new TheoryData<string, bool>();
        foreach (var row in Cases())
            foreach (var isOnDevice in (bool[])[false, true]) cases.Add(row.Data, isOnDevice);
        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Layers_AreThoseOfPeftWithItsRanksAndFactors(string name)
    {
        var (_, golden, model) = Open(name);
        using var ownership = model;
        var expected = golden.GetProperty("adapted_modules").EnumerateObject()
            .Select(module => (module.Name, module.Value.GetProperty("r").GetInt64(), Math.Round(module.Value.GetProperty("scaling").GetDouble(), 12)));
        Assert.Equal(expected.Order(), model.Adapter!.Layers.Select(layer => (layer.Module, layer.A.Shape[0], Math.Round(layer.Scaling, 12))).Order());
        Assert.Equal(golden.GetProperty("trained_keys").EnumerateArray().Select(key => key.GetString()!).Order(StringComparer.Ordinal), TrainedNames(model));
        Assert.Equal(golden.GetProperty("trainable_parameters").GetInt64(), model.Adapter.Weights.Sum(weight => weight.NumberOfElements));
    }

    [Theory, MemberData(nameof(CasesAndDevices))]
    public void LogitsAndLosses_EqualPefts(string name, bool isOnDevice)
    {
        var (_, golden, model) = Open(name, isOnDevice: isOnDevice);
        using var ownership = model;
        using var merged = model.MergeAndUnload();
        using var plain = BertForSequenceClassification.FromPretrained(Base(golden), problemType: GoldenBatches.Problem(Labels(golden)));
        var cases = 0;
        foreach (var (id, batch) in Batches(golden))
        {
            if (!golden.GetProperty("batches").TryGetProperty(id, out var expected)) continue;
            Compare(plain, "logits_base");
            Compare(merged, "logits_merged");
            Compare(model, "logits");
            cases++;

            void Compare(SequenceClassificationModel one, string key)
            {
                using var output = one.Forward(batch);
                TensorAssert.Close(GoldenBatches.Floats(expected.GetProperty(key)), output.Logits, LogitTolerance, $"{name}, {id}, {key}");
                if (key == "logits" && expected.GetProperty("loss").TryGetProperty(Labels(golden), out var loss))
                    TensorAssert.Close([(float)loss.GetDouble()], [(float)output.Loss!.Value], LossTolerance, $"{name}, {id}, loss");
            }
        }
        Assert.True(cases > 0, "no case found");
    }

    [Theory, MemberData(nameof(Cases))]
    public void MergeAndUnload_Weights_EqualPefts(string name)
    {
        var (folder, golden, model) = Open(name);
        using var ownership = model;
        using var merged = model.MergeAndUnload();
        using var plain = BertForSequenceClassification.FromPretrained(Base(golden));
        var expected = GoldenBatches.Tensors(folder, "expected_merged.safetensors");
        Assert.Null(merged.Lora);
        Assert.Equal(plain.Weights.All.Select(weight => weight.Name), merged.Weights.All.Select(weight => weight.Name));
        foreach (var weight in merged.Weights.All)
            TensorAssert.Close(expected.TryGetValue(weight.Name, out var changed) ? changed : plain.Weights[weight.Name].Span, weight.Span, MergedTolerance, $"{name}, {weight.Name}");
        Assert.All(expected.Keys, key => Assert.True(merged.Weights.TryGet(key, out _), key));
    }

    [Theory, MemberData(nameof(CasesAndDevices))]
    public void Gradients_EqualPefts(string name, bool isOnDevice)
    {
        var (folder, golden, model) = Open(name, isOnDevice: isOnDevice);
        using var ownership = model;
        var expected = GoldenBatches.Tensors(folder, "expected_grads_adapter.safetensors");
        model.Training = true;
        using var output = model.Forward(Batches(golden).First(batch => batch.Id == "grad_batch").Batch);
        output.Backward();
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), TrainedNames(model));
        foreach (var weight in model.Weights.All.Where(weight => weight.RequiresGrad))
        {
            using var gradient = weight.Gradient;
            var key = model.Adapter!.FileName(weight);
            TensorAssert.CloseGradient(expected[key], gradient.data<float>().ToArray(), $"{name}, {key}");
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Steps_EqualTorchs(string name)
    {
        var (folder, golden, model) = Open(name);
        using var ownership = model;
        var trajectory = golden.GetProperty("trajectory");
        var batches = Batches(golden).ToDictionary(batch => batch.Id, batch => batch.Batch);
        using var optimizer = new AdamW(model.Weights, epsilon: trajectory.GetProperty("eps").GetDouble(), weightDecay: trajectory.GetProperty("weight_decay").GetDouble());
        var decayed = trajectory.GetProperty("decayed_parameters").EnumerateArray().Select(key => key.GetString()!).ToHashSet();
        Assert.Subset(decayed, TrainedNames(model, weight => weight.Decays).ToHashSet());
        // The figures of one case decay a bias too, which neither transformers' Trainer nor Attune does.
        var alsoDecayed = model.Adapter!.Weights.Where(weight => !weight.Decays && decayed.Contains(model.Adapter.FileName(weight))).ToList();
        model.Training = true;
        var rates = 0.0;
        foreach (var step in trajectory.GetProperty("per_step").EnumerateArray())
        {
            using var output = model.Forward(batches[step.GetProperty("batch").GetString()!]);
            output.Backward();
            var (norm, expected) = (GradientNorm.Compute(model.Weights), step.GetProperty("grad_norm_before_clip").GetDouble());
            Assert.True(Math.Abs(output.Loss!.Value - step.GetProperty("loss").GetDouble()) <= LossTolerance, $"{name}, {step}: loss {output.Loss}");
            Assert.True(Math.Abs(norm - expected) <= NormTolerance * expected, $"{name}, {step}: norm {norm}");
            rates += optimizer.LearningRate = step.GetProperty("lr").GetDouble();
            foreach (var weight in alsoDecayed)
                for (var i = 0; i < weight.Span.Length; i++) weight.Span[i] *= (float)(1 - optimizer.LearningRate * trajectory.GetProperty("weight_decay").GetDouble());
            optimizer.Step(trajectory.GetProperty("max_grad_norm") is { ValueKind: JsonValueKind.Number } most ? GradientNorm.ClipFactor(norm, most.GetDouble()) : 1);
            optimizer.ZeroGrad();
        }
        var final = GoldenBatches.Tensors(folder, trajectory.GetProperty("final_weights").GetString()!);
        foreach (var weight in model.Adapter.Weights)
        {
            var key = model.Adapter.FileName(weight);
            // The gradient of a key's bias is zero by mathematics; Adam makes steps of the size of the rate of its rounding.
            TensorAssert.Close(final[key], weight.Span, key.EndsWith("key.base_layer.bias", StringComparison.Ordinal) ? rates : WeightTolerance, $"{name}, {key}");
        }
        model.Training = false;
        foreach (var after in trajectory.GetProperty("logits_after").EnumerateObject())
        {
            using var output = model.Forward(batches[after.Name]);
            TensorAssert.Close(GoldenBatches.Floats(after.Value), output.Logits, AfterwardsTolerance, $"{name}, {after.Name} afterwards");
        }
    }

    /// <summary>Key for key; and to the byte where PEFT writes all that is trained.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void SavePretrained_WhatWasRead_IsWrittenAsPeftDid(string name)
    {
        var (folder, golden, model) = Open(name);
        using (model) model.SavePretrained(_folder.Path);
        string At(string file) => Path.Combine(_folder.Path, file);
        AssertSameJson(PythonJson.ReadFile(Path.Combine(folder, "adapter_config.json")), PythonJson.ReadFile(At("adapter_config.json")));
        Assert.False(File.Exists(At("model.safetensors")));
        var (expected, actual) = (GoldenBatches.Tensors(folder, "adapter_model.safetensors"), GoldenBatches.Tensors(_folder.Path, "adapter_model.safetensors"));
        string[] notWritten = [.. golden.GetProperty("adapter_file_keys_without_trained_parameters").EnumerateArray().Select(key => key.GetString()!)];
        Assert.Equal(expected.Keys.Concat(notWritten).Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, pair => Assert.Equal(pair.Value, actual[pair.Key]));
        if (notWritten.Length == 0) Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")), File.ReadAllBytes(At("adapter_model.safetensors")));
    }

    /// <summary>Trained biases come back, which PEFT's own files lose.</summary>
    [Theory, MemberData(nameof(CasesAndDevices))]
    public void FromPretrained_WhatWasWritten_ComputesTheSameToTheBit(string name, bool isOnDevice)
    {
        var (_, golden, model) = Open(name, isOnDevice: isOnDevice);
        using var ownership = model;
        foreach (var weight in model.Adapter!.Weights)
            for (var i = 0; i < weight.Span.Length; i++) weight.Span[i] += 0.01f;
        model.SavePretrained(_folder.Path);
        using var again = BertForSequenceClassification.FromPretrained(_folder.Path, baseFolder: Base(golden));
        if (isOnDevice) again.ComputeOn(TorchSharp.torch.CPU);
        foreach (var (id, batch) in Batches(golden))
        {
            using SequenceClassifierOutput before = model.Forward(batch), after = again.Forward(batch);
            Assert.True(before.Logits.AsSpan().SequenceEqual(after.Logits), $"{name}, {id}");
        }
    }

    /// <summary>An adapter that begins here has PEFT's configuration to the key, and adds nothing at first.</summary>
    [Theory]
    [InlineData("query_value")]
    [InlineData("rslora_patterns")]
    public void ToJson_SameConfigurationMadeByHand_IsPefts(string name)
    {
        var config = new LoraConfig { R = 4, LoraAlpha = 8, BaseModelNameOrPath = "tiny_bert/labels2" };
        if (name == "rslora_patterns")
            config = config with
            {
                R = 5,
                TaskType = null,
                UseRslora = true,
                TargetModules = ["attention.output.dense", "key", "query"],
                RankPattern = [KeyValuePair.Create("layer.1.attention.self.query", 2)],
                AlphaPattern = [KeyValuePair.Create("key", 3.0)],
            };
        var (folder, golden, model) = Open(name, Golden.Own("lora"));
        using var ownership = model;
        using var made = BertForSequenceClassification.FromPretrained(Base(golden), lora: config);
        AssertSameJson(PythonJson.ReadFile(Path.Combine(folder, "adapter_config.json")), made.Lora!.ToJson(made.Architecture, "bert"));
        Assert.Equal(TrainedNames(model), TrainedNames(made));
        using var plain = BertForSequenceClassification.FromPretrained(Base(golden));
        var batch = Batches(golden).First().Batch;
        using SequenceClassifierOutput before = plain.Forward(batch), after = made.Forward(batch);
        Assert.Equal(before.Logits, after.Logits);
    }

    /// <summary>What a file holds beyond its configuration is kept when it is written again.</summary>
    [Fact]
    public void Load_FileWithMoreThanItsConfiguration_KeepsIt()
    {
        var (folder, golden, model) = Open("all_linear_bias", Golden.Own("lora"));
        model.SavePretrained(_folder.Path);
        model.Dispose();
        var config = PythonJson.ReadFile(Path.Combine(folder, "adapter_config.json"))!.AsObject();
        config["bias"] = "none";
        PythonJson.WriteFile(Path.Combine(_folder.Path, "adapter_config.json"), config);
        var before = File.ReadAllBytes(Path.Combine(_folder.Path, "adapter_model.safetensors"));
        using (var again = BertForSequenceClassification.FromPretrained(_folder.Path, baseFolder: Base(golden))) again.SavePretrained(_folder.Path);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_folder.Path, "adapter_model.safetensors")));
    }

    private static (string Folder, JsonElement Golden, BertForSequenceClassification Model) Open(string name, string? root = null, bool isOnDevice = false)
    {
        var folder = Path.Combine(root ?? Golden.Require("lora"), name);
        var golden = Golden.Json(folder, "expected.json");
        var model = BertForSequenceClassification.FromPretrained(folder, problemType: GoldenBatches.Problem(Labels(golden)),
            configure: config => config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0 }, baseFolder: Base(golden));
        if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
        return (folder, golden, model);
    }

    private static string Base(JsonElement golden) => Path.Combine(Golden.Require("tiny_bert"), "..", golden.GetProperty("base").GetString()!);

    private static IEnumerable<(string Id, Batch Batch)> Batches(JsonElement golden) =>
        Golden.Json(Path.Combine(Golden.Require("tiny_bert"), ".."), golden.GetProperty("inputs").GetString()!).GetProperty("batches").EnumerateArray()
            .Select(batch => (batch.GetProperty("name").GetString()!, GoldenBatches.Padded(batch, GoldenBatches.Labels(Labels(golden), batch.GetProperty("labels").GetProperty(Labels(golden))))));

    private static string Labels(JsonElement golden) => golden.GetProperty("trajectory").GetProperty("labels").GetString()!;

    private static IEnumerable<string> TrainedNames(BertForSequenceClassification model, Func<Weight, bool>? which = null) =>
        model.Weights.All.Where(weight => weight.RequiresGrad && (which is null || which(weight))).Select(model.Adapter!.FileName).Order(StringComparer.Ordinal);

    private static void AssertSameJson(JsonNode? expected, JsonNode? actual) =>
        Assert.Equal(PythonJson.Write(expected, indent: 2, sortKeys: true), PythonJson.Write(actual, indent: 2, sortKeys: true));
}
