using System.Text.Json;
using Attune.Batching;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>Logits, losses, hidden states and gradients of transformers' BERT on random weights (golden folder tiny_bert).</summary>
[Collection("torch")]
public class TinyBertGoldenTests
{
    // float32 with another order of summation; the tolerances that the golden data's README suggests.
    private const double LogitTolerance = 1e-5, LossTolerance = 1e-5, HiddenTolerance = 3e-5;

    public static TheoryData<string> Models() => Folders(Golden.Folder("tiny_bert"), folder => File.Exists(Path.Combine(folder, "config.json")) && Path.GetFileName(folder) != "variants");

    public static TheoryData<string> ModelsWithStates() => Folders(Golden.Folder("tiny_bert"), folder => Golden.Files(folder, "expected_hidden.safetensors").Count == 1);

    public static TheoryData<string> Variants() => Folders(Golden.Folder("tiny_bert") is { } root ? Path.Combine(root, "variants") : null, _ => true);

    [Theory, MemberData(nameof(Models))]
    public void LogitsAndLosses_EqualTransformers(string name)
    {
        var root = Golden.Require("tiny_bert");
        var folder = Path.Combine(root, name);
        var expected = Golden.Json(folder, "expected.json").GetProperty("batches");
        var cases = 0;
        foreach (var batch in Golden.Json(root, "inputs.json").GetProperty("batches").EnumerateArray())
        {
            var id = batch.GetProperty("name").GetString()!;
            if (!expected.TryGetProperty(id, out var golden)) continue;
            foreach (var loss in golden.GetProperty("loss").EnumerateObject())
            {
                var labels = GoldenBatches.Labels(loss.Name, batch.GetProperty("labels").GetProperty(loss.Name));
                using var model = BertForSequenceClassification.FromPretrained(folder, problemType: GoldenBatches.Problem(loss.Name));
                using var output = model.Forward(GoldenBatches.Padded(batch, labels));
                TensorAssert.Close(GoldenBatches.Floats(golden.GetProperty("logits")), output.Logits, LogitTolerance, $"{name}, {id}, logits");
                TensorAssert.Close([(float)loss.Value.GetDouble()], [(float)output.Loss!.Value], LossTolerance, $"{name}, {id}, {loss.Name}");
                cases++;
            }
        }
        Assert.True(cases > 0, "no case found");
    }

    [Theory, MemberData(nameof(Models))]
    public void Gradients_EqualTransformers(string name)
    {
        var root = Golden.Require("tiny_bert");
        var folder = Path.Combine(root, name);
        var batch = Golden.Json(root, "inputs.json").GetProperty("batches").EnumerateArray().First(batch => batch.GetProperty("name").GetString() == "grad_batch");
        var files = Golden.Files(folder, ".safetensors").Where(file => file.StartsWith("expected_grads_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var expected = GoldenBatches.Tensors(folder, file);
            var problem = file["expected_grads_".Length..^".safetensors".Length];
            var count = BertConfig.Load(Path.Combine(folder, "config.json")).NumLabels;
            var key = problem switch
            {
                "single_label_classification" => $"single_label_{count}",
                "multi_label_classification" => $"multi_label_{count}",
                _ => $"regression_{count}",
            };
            WithoutDropout(folder, GoldenBatches.Problem(key), model =>
            {
                using var output = model.Forward(GoldenBatches.Padded(batch, GoldenBatches.Labels(key, batch.GetProperty("labels").GetProperty(key))));
                output.Backward();
                Assert.Equal(expected.Keys.Order(), model.Weights.All.Select(weight => weight.Name).Order());
                foreach (var weight in model.Weights.All)
                {
                    using var gradient = weight.Gradient;
                    TensorAssert.CloseGradient(expected[weight.Name], gradient.data<float>().ToArray(), $"{file}, {weight.Name}");
                }
            });
        }
    }

    [Theory, MemberData(nameof(ModelsWithStates))]
    public void HiddenStates_EqualTransformersWhereTheMaskIsOne(string name)
    {
        var root = Golden.Require("tiny_bert");
        var folder = Path.Combine(root, name);
        var expected = GoldenBatches.Tensors(folder, "expected_hidden.safetensors");
        using var model = BertModel.FromPretrained(folder);
        var compared = 0;
        foreach (var batch in Golden.Json(root, "inputs.json").GetProperty("batches").EnumerateArray())
        {
            var id = batch.GetProperty("name").GetString()!;
            if (!expected.Keys.Any(key => key.StartsWith(id + ".", StringComparison.Ordinal))) continue;
            var packed = GoldenBatches.Padded(batch);
            using var output = model.Forward(packed);
            for (var layer = 0; layer < output.HiddenStates.Count; layer++)
            {
                if (!expected.TryGetValue($"{id}.hidden_states.{layer}", out var golden)) continue;
                compared += GoldenBatches.CompareRealTokens(golden, output.HiddenStates[layer].data<float>().ToArray(), batch, model.Config.HiddenSize, HiddenTolerance, $"{id}, layer {layer}");
            }
            if (expected.TryGetValue(id + ".pooled_output", out var pooled))
                TensorAssert.Close(pooled, output.PooledOutput.data<float>().ToArray(), HiddenTolerance, $"{id}, pooled output");
        }
        Assert.True(compared > 0, "nothing was compared");
    }

    [Theory, MemberData(nameof(Variants))]
    public void Variant_EqualsTransformers(string name)
    {
        var folder = Path.Combine(Golden.Require("tiny_bert"), "variants", name);
        var golden = Golden.Json(folder, "case.json");
        using var model = BertForSequenceClassification.FromPretrained(folder, problemType: ProblemType.SingleLabelClassification);
        using var output = model.Forward(GoldenBatches.Padded(golden.GetProperty("inputs"), new ClassLabels(golden.GetProperty("labels").Deserialize<long[]>()!)));
        TensorAssert.Close(GoldenBatches.Floats(golden.GetProperty("logits")), output.Logits, LogitTolerance, name + ", logits");
        TensorAssert.Close([(float)golden.GetProperty("loss").GetDouble()], [(float)output.Loss!.Value], LossTolerance, name + ", loss");
    }

    /// <summary>Runs in training mode with every dropout at 0, as the golden gradients were made.</summary>
    private static void WithoutDropout(string folder, ProblemType problem, Action<BertForSequenceClassification> body)
    {
        using var model = BertForSequenceClassification.FromPretrained(folder, problemType: problem,
            configure: config => config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0 });
        model.Training = true;
        body(model);
    }

    private static TheoryData<string> Folders(string? root, Func<string, bool> wanted) =>
        root is null ? ["absent"] : [.. Directory.EnumerateDirectories(root).Where(wanted).Select(folder => Path.GetFileName(folder)!).Order()];
}
