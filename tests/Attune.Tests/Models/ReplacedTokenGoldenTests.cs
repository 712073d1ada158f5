using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Models;

/// <summary>Logits, losses, gradients and files of transformers' ElectraForPreTraining (golden folder encoders/electra_pretraining).</summary>
[Collection("torch")]
public sealed class ReplacedTokenGoldenTests
{
    // float32 with another order of summation; the tolerances that the golden data's README suggests for this model.
    private const double LogitTolerance = 2e-5, LossTolerance = 1e-5;

    [Fact]
    public void LogitsAndLoss_EqualTransformers()
    {
        var folder = Folder();
        var expected = Golden.Json(folder, "expected.json");
        using var model = ElectraForPreTraining.FromPretrained(folder);
        Assert.Equal(expected.GetProperty("parameter_count").GetInt64(), model.ParameterCount);
        foreach (var batch in Batches(folder))
        {
            var id = batch.GetProperty("name").GetString()!;
            var golden = expected.GetProperty("batches").GetProperty(id);
            var (packed, labels) = Packed(batch);
            using var output = model.Forward(packed, labels);
            Assert.True(GoldenBatches.CompareRealTokens(GoldenBatches.Floats(golden.GetProperty("logits")), output.Logits, batch, 1, LogitTolerance, id) > 0);
            Assert.Equal(golden.GetProperty("loss").GetProperty("replaced_token_detection").GetDouble(), output.Loss!.Value, LossTolerance);
            using var withoutLabels = model.Forward(packed);
            Assert.Null(withoutLabels.Loss);
        }
    }

    [Fact]
    public void Gradients_EqualTransformers()
    {
        var folder = Folder();
        var expected = GoldenBatches.Tensors(folder, "expected_grads_replaced_token_detection.safetensors");
        var (packed, labels) = Packed(Batches(folder).First(batch => batch.GetProperty("name").GetString() == "grad_batch"));
        using var model = ElectraForPreTraining.FromPretrained(folder, dropout: 0);
        model.Training = true;
        using var output = model.Forward(packed, labels);
        output.Backward();
        Assert.Equal(expected.Keys.Order(), model.Weights.All.Select(weight => weight.Name).Order());
        foreach (var weight in model.Weights.All)
        {
            using var gradient = weight.Gradient;
            TensorAssert.CloseGradient(expected[weight.Name], gradient.data<float>().ToArray(), weight.Name);
        }
        Assert.Throws<InvalidOperationException>(() => output.Backward());
    }

    [Fact]
    public void Folder_WrittenAgain_IsTheSameToTheByteAndKeyForKey()
    {
        var folder = Folder();
        using var written = new TemporaryFolder();
        using (var model = ElectraForPreTraining.FromPretrained(folder)) model.SavePretrained(written.Path);
        Assert.Equal(GoldenBatches.Bytes(folder, "model.safetensors"), GoldenBatches.Bytes(written.Path, "model.safetensors"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(GoldenBatches.Bytes(folder, "config.json")), JsonNode.Parse(GoldenBatches.Bytes(written.Path, "config.json"))));
    }

    /// <summary>A generator is beside the model: what transformers and classifiers read of the folder is as without it.</summary>
    [Fact]
    public void FromPretrained_WithAGenerator_LeavesTheModelAsItIs()
    {
        var folder = Folder();
        using var written = new TemporaryFolder();
        using var alone = ElectraForPreTraining.FromPretrained(folder);
        using (var model = ElectraForPreTraining.FromPretrained(folder, generatorLayers: 1))
        {
            Assert.Equal(alone.Weights.All.Select(weight => weight.Name).Order(), model.Weights.All.Select(weight => weight.Name).Where(name => !name.StartsWith("generator", StringComparison.Ordinal)).Order());
            Assert.All(model.LoadReport.New, name => Assert.StartsWith("generator", name, StringComparison.Ordinal));
            var (packed, _) = Packed(Batches(folder).First());
            using var one = alone.Forward(packed);
            using var other = model.Forward(packed);
            Assert.Equal(one.Logits, other.Logits);
            model.SavePretrained(written.Path);
        }
        using var again = ElectraForPreTraining.FromPretrained(written.Path, generatorLayers: 1);
        Assert.Empty(again.LoadReport.New);
        using var classifier = AutoModelForSequenceClassification.FromPretrained(written.Path, ["a", "b"]);
        Assert.IsType<ElectraForSequenceClassification>(classifier);
        Assert.Empty(classifier.LoadReport.Unexpected);
        Assert.All(classifier.LoadReport.New, name => Assert.StartsWith("classifier.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Forward_ALabelThatIsNone_IsRefused()
    {
        using var model = ElectraForPreTraining.FromConfig(new ElectraConfig { VocabSize = 20, HiddenSize = 8, EmbeddingSize = 8, NumHiddenLayers = 1, NumAttentionHeads = 2, IntermediateSize = 8, MaxPositionEmbeddings = 8 });
        var batch = Batch.Pack([new TokenizedRow([1, 2, 3])]);
        Assert.Contains("The label 2 is none", Assert.Throws<AttuneException>(() => model.Forward(batch, [0, 2, 1])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.Forward(batch, [0, 1]));
    }

    private static string Folder() => Path.Combine(Golden.Require("encoders"), "electra_pretraining");

    private static JsonElement.ArrayEnumerator Batches(string folder) => Golden.Json(folder, "inputs.json").GetProperty("batches").EnumerateArray();

    /// <summary>The batch, and a label for each of its tokens; where the mask hides one, transformers does not count it.</summary>
    private static (Batch Batch, int[] Labels) Packed(JsonElement batch)
    {
        var mask = GoldenBatches.Ints(batch, "attention_mask");
        var wanted = batch.GetProperty("labels").GetProperty("replaced_token_detection").Deserialize<int[][]>()!;
        // A row's first column is there although the mask may hide it.
        return (GoldenBatches.Padded(batch), [.. wanted.SelectMany((labels, row) => labels
            .Select((label, column) => (Label: mask is null || mask[row][column] != 0 ? label : -100, column))
            .Where(one => one.column == 0 || one.Label != -100).Select(one => one.Label))]);
    }
}
