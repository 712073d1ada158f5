using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Models;

/// <summary>Logits, losses, hidden states, gradients and files of transformers' BertForMaskedLM (golden folders encoders/* of that class).</summary>
[Collection("torch")]
public sealed class MaskedLMGoldenTests
{
    // float32 with another order of summation; the tolerances that the golden data's README suggests for masked language models.
    private const double LogitTolerance = 5e-5, LossTolerance = 1e-5, HiddenTolerance = 5e-5;

    public static TheoryData<string> Models() => Golden.Folder("encoders") is { } root && Directory.EnumerateDirectories(root).Where(IsMaskedLM).Select(folder => Path.GetFileName(folder)!).Order().ToList() is { Count: > 0 } found
        ? [.. found] : ["absent"];

    [Theory, MemberData(nameof(Models))]
    public void LogitsAndLoss_EqualTransformers_AtAllTokensAndAtThoseAsked(string name)
    {
        var folder = Folder(name);
        var (expected, states) = (Golden.Json(folder, "expected.json"), GoldenBatches.Tensors(folder, "expected_hidden.safetensors"));
        using var model = BertForMaskedLM.FromPretrained(folder);
        Assert.Equal(expected.GetProperty("parameter_count").GetInt64(), model.ParameterCount);
        var vocabulary = model.Config.VocabSize;
        foreach (var batch in Batches(folder))
        {
            var id = batch.GetProperty("name").GetString()!;
            var (packed, labels) = Packed(batch);
            using var all = model.Forward(packed);
            using var asked = model.Forward(packed, labels);
            var (golden, logits, some) = (states[id + ".logits"], all.Logits, asked.Logits);
            Assert.Equal(Enumerable.Range(0, packed.Tokens).Where(token => labels[token] != -100), asked.Positions);
            GoldenBatches.CompareRealTokens(golden, logits, batch, vocabulary, LogitTolerance, id);
            foreach (var (line, token) in asked.Positions.Index())
                TensorAssert.Close(logits.AsSpan(token * vocabulary, vocabulary), some.AsSpan(line * vocabulary, vocabulary), 1e-5, $"{id}, asked token {token}");
            var loss = expected.GetProperty("batches").GetProperty(id).GetProperty("loss").GetProperty("masked_lm").GetDouble();
            Assert.Equal(loss, asked.Loss!.Value, LossTolerance);
            Assert.Null(all.Loss);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void HiddenStates_EqualTransformersWhereTheMaskIsOne(string name)
    {
        var folder = Folder(name);
        var expected = GoldenBatches.Tensors(folder, "expected_hidden.safetensors");
        using var model = BertForMaskedLM.FromPretrained(folder);
        var (hidden, compared) = (model.Config.HiddenSize, 0);
        foreach (var batch in Batches(folder))
        {
            var (packed, _) = Packed(batch);
            foreach (var (layer, state) in model.Encoder.AllStates(packed).Index())
                using (state)
                {
                    if (!expected.TryGetValue($"{batch.GetProperty("name").GetString()}.hidden_states.{layer}", out var golden)) continue;
                    var actual = state.data<float>().ToArray();
                    compared += GoldenBatches.CompareRealTokens(golden, actual, batch, hidden, HiddenTolerance, $"layer {layer}");
                }
        }
        Assert.True(compared > 0, "nothing was compared");
    }

    [Theory, MemberData(nameof(Models))]
    public void Gradients_EqualTransformers(string name)
    {
        var folder = Folder(name);
        var expected = GoldenBatches.Tensors(folder, "expected_grads_masked_lm.safetensors");
        var (packed, labels) = Packed(Batches(folder).First(batch => batch.GetProperty("name").GetString() == "grad_batch"));
        using var model = BertForMaskedLM.FromPretrained(folder, dropout: 0);
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

    [Theory, MemberData(nameof(Models))]
    public void Folder_WrittenAgain_IsTheSameToTheByteAndKeyForKey(string name)
    {
        var folder = Folder(name);
        using var written = new TemporaryFolder();
        using (var model = BertForMaskedLM.FromPretrained(folder)) model.SavePretrained(written.Path);
        Assert.Equal(GoldenBatches.Bytes(folder, "model.safetensors"), GoldenBatches.Bytes(written.Path, "model.safetensors"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(GoldenBatches.Bytes(folder, "config.json")), JsonNode.Parse(GoldenBatches.Bytes(written.Path, "config.json"))));
    }

    /// <summary>In training, with dropout, the states of chosen tokens are those of all: their number changes nothing, nor the gradients.</summary>
    [Fact]
    public void Forward_ChosenTokensInTraining_GiveTheGradientsOfAll()
    {
        var config = new BertConfig { VocabSize = 50, HiddenSize = 24, NumHiddenLayers = 2, NumAttentionHeads = 3, IntermediateSize = 40, MaxPositionEmbeddings = 20 };
        var random = new Random(3);
        var batch = Batch.Pack([.. new[] { 7, 1, 12, 4 }.Select(length => new TokenizedRow([.. Enumerable.Range(0, length).Select(_ => random.Next(5, 50))]))]);
        var labels = Enumerable.Range(0, batch.Tokens).Select(token => token % 3 == 1 ? random.Next(50) : -100).ToArray();
        labels[7] = -100;                                                  // a row in which nothing is asked
        var (some, all) = (Gradients(labels, everywhere: false), Gradients(labels, everywhere: true));
        foreach (var (weight, gradient) in some) TensorAssert.CloseGradient(all[weight], gradient, weight);

        Dictionary<string, float[]> Gradients(int[] labels, bool everywhere)
        {
            using var model = BertForMaskedLM.FromConfig(config, seed: 5);
            (model.Training, model.DropoutKey) = (true, (1, 2));
            if (everywhere)
            {
                // Logits of all tokens, of which the losses of those without a label are taken back by hand.
                int[] positions = [.. Enumerable.Range(0, batch.Tokens)];
                using var output = model.Forward(batch, positions, [.. labels.Select(label => Math.Max(0, label))]);
                output.BackwardOfSum(1);
                var others = positions.Where(token => labels[token] == -100).ToArray();
                using var rest = model.Forward(batch, others, new int[others.Length]);
                rest.BackwardOfSum(-1);
            }
            else
            {
                using var output = model.Forward(batch, labels);
                output.Backward(output.Positions.Count);
            }
            return model.Weights.All.ToDictionary(weight => weight.Name, weight =>
            {
                using var gradient = weight.Gradient;
                return gradient.data<float>().ToArray();
            });
        }
    }

    [Fact]
    public void Forward_NothingAskedOrALabelOutside_IsNoTrouble()
    {
        using var model = BertForMaskedLM.FromConfig(new BertConfig { VocabSize = 20, HiddenSize = 8, NumHiddenLayers = 1, NumAttentionHeads = 2, IntermediateSize = 8, MaxPositionEmbeddings = 8 });
        var batch = Batch.Pack([new TokenizedRow([1, 2, 3])]);
        model.Training = true;
        using var output = model.Forward(batch, [-100, -100, -100]);
        Assert.Equal((0, 0, 0.0), (output.Positions.Count, output.Logits.Length, output.Loss));
        output.Backward();
        Assert.Contains("The label 20 is outside", Assert.Throws<AttuneException>(() => model.Forward(batch, [-100, 20, -100])).Message, StringComparison.Ordinal);
    }

    /// <summary>float16 on the disk is float32 in use, and a classifier begins with the encoder of the folder.</summary>
    [Fact]
    public void HalfPrecision_Folder_LoadsAsFloat32AndIsFineTuned()
    {
        using var folder = new TemporaryFolder();
        using var model = BertForMaskedLM.FromConfig(new BertConfig { VocabSize = 60, HiddenSize = 16, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 24, MaxPositionEmbeddings = 16 }, seed: 8);
        model.SavePretrained(folder.Path);
        var whole = new FileInfo(Path.Combine(folder.Path, "model.safetensors")).Length;
        HalfPrecision.Convert(folder.Path);
        Assert.InRange(new FileInfo(Path.Combine(folder.Path, "model.safetensors")).Length, whole / 2, whole * 6 / 10);
        Assert.Equal("float16", JsonNode.Parse(GoldenBatches.Bytes(folder.Path, "config.json"))!["dtype"]!.GetValue<string>());
        using var again = BertForMaskedLM.FromPretrained(folder.Path);
        foreach (var weight in model.Weights.All)
            Assert.Equal(weight.Span.ToArray().Select(value => (float)(Half)value), again.Weights[weight.Name].Span.ToArray());
        using var classifier = BertForSequenceClassification.FromPretrained(folder.Path, ["a", "b", "c"]);
        Assert.Equal(["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"], classifier.LoadReport.New.Order());
        Assert.Empty(classifier.LoadReport.Unexpected);
        Assert.Equal(again.Weights["bert.embeddings.word_embeddings.weight"].Span.ToArray(), classifier.Weights["bert.embeddings.word_embeddings.weight"].Span.ToArray());
        classifier.SavePretrained(folder.Path);
        Assert.Equal("float32", JsonNode.Parse(GoldenBatches.Bytes(folder.Path, "config.json"))!["dtype"]!.GetValue<string>());
    }

    private static string Folder(string name) => Path.Combine(Golden.Require("encoders"), name);

    private static bool IsMaskedLM(string folder) =>
        File.Exists(Path.Combine(folder, "config.json")) && Golden.Json(folder, "config.json").TryGetProperty("architectures", out var names) && names[0].GetString() == nameof(BertForMaskedLM);

    private static JsonElement.ArrayEnumerator Batches(string folder) => Golden.Json(folder, "inputs.json").GetProperty("batches").EnumerateArray();

    /// <summary>The batch, and a label for each of its tokens.</summary>
    private static (Batch Batch, int[] Labels) Packed(JsonElement batch)
    {
        var mask = GoldenBatches.Ints(batch, "attention_mask");
        var wanted = batch.GetProperty("labels").GetProperty("masked_lm").Deserialize<int[][]>()!;
        // A row's first column is there although the mask may hide it.
        return (GoldenBatches.Padded(batch), [.. wanted.SelectMany((labels, row) => labels.Where((_, column) => column == 0 || mask is null || mask[row][column] != 0))]);
    }
}
