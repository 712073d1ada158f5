using Attune.Formats;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>What becomes of the weights of a folder that is not exactly the model's.</summary>
[Collection("torch")]
public sealed class WeightLoadingTests : IDisposable
{
    private static readonly BertConfig Tiny = new()
    {
        VocabSize = 20,
        HiddenSize = 8,
        NumHiddenLayers = 1,
        NumAttentionHeads = 2,
        IntermediateSize = 12,
        MaxPositionEmbeddings = 16,
        LabelNames = ["a", "b", "c"],
        InitializerRange = 0.5,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-loading-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A tensor of the file to write.</summary>
    private sealed record Stored(string Name, long[] Shape, float[] Values);

    /// <summary>Saves a model with its file of weights changed, and gives the weights that it had.</summary>
    private Dictionary<string, float[]> Save(Func<Stored, Stored?> change, params Stored[] more)
    {
        using var model = BertForSequenceClassification.FromConfig(Tiny, seed: 9);
        foreach (var weight in model.Weights.All)                               // biases and norms too must be told apart from new ones
            for (var i = 0; i < weight.Span.Length; i++) weight.Span[i] += 0.01f * (i + 1);
        model.SavePretrained(_folder);
        var stored = model.Weights.All.Select(weight => new Stored(weight.Name, [.. weight.Shape], weight.Span.ToArray())).ToList();
        SafeTensors.Write(Path.Combine(_folder, "model.safetensors"),
            [.. stored.Select(change).OfType<Stored>().Concat(more).Select(tensor => TensorToWrite.Of(tensor.Name, WeightType.F32, tensor.Shape, tensor.Values))]);
        return stored.ToDictionary(tensor => tensor.Name, tensor => tensor.Values);
    }

    private BertForSequenceClassification Load() => BertForSequenceClassification.FromPretrained(_folder);

    private string Refused() => Assert.Throws<AttuneException>(() => Load().Dispose()).Message;

    [Fact]
    public void Load_OldNamesOfLayerNorm_AreTheNewOnes()
    {
        var renamed = 0;
        var saved = Save(tensor =>
        {
            var name = tensor.Name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);
            if (name != tensor.Name) renamed++;
            return tensor with { Name = name };
        });
        Assert.Equal(6, renamed);
        using var model = Load();
        Assert.Equal("", model.LoadReport.Describe());
        Assert.All(model.Weights.All, weight => Assert.Equal(saved[weight.Name], weight.Span.ToArray()));
    }

    [Fact]
    public void Load_BareEncoder_GetsANewHead()
    {
        var saved = Save(tensor => tensor.Name.StartsWith("bert.", StringComparison.Ordinal) ? tensor with { Name = tensor.Name["bert.".Length..] } : null);
        using var model = Load();
        Assert.Equal(["classifier.bias", "classifier.weight"], model.LoadReport.New.Order());
        Assert.Empty(model.LoadReport.Unexpected);
        Assert.All(model.Weights.All.Where(weight => weight.Name.StartsWith("bert.", StringComparison.Ordinal)), weight => Assert.Equal(saved[weight.Name], weight.Span.ToArray()));
        Assert.NotEqual(saved["classifier.weight"], model.Weights["classifier.weight"].Span.ToArray());
        Assert.All(model.Weights["classifier.bias"].Span.ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Load_HeadOfAnotherSize_IsDrawnAnewAndSaid()
    {
        Save(tensor => tensor.Name.StartsWith("classifier.", StringComparison.Ordinal)
            ? tensor with { Shape = [5, .. tensor.Shape[1..]], Values = new float[tensor.Values.Length / 3 * 5] } : tensor);
        using var model = Load();
        Assert.Equal(["classifier.bias (5 in the folder, 3 by its configuration)", "classifier.weight (5,8 in the folder, 3,8 by its configuration)"], model.LoadReport.Resized.Order());
        Assert.Empty(model.LoadReport.New);
        Assert.DoesNotContain(0, model.Weights["classifier.weight"].Span.ToArray());
    }

    [Fact]
    public void Load_EncoderOfOtherShapes_IsRefusedWithThem()
    {
        Save(tensor => tensor.Name.EndsWith("embeddings.word_embeddings.weight", StringComparison.Ordinal)
            ? tensor with { Shape = [19, 8], Values = new float[19 * 8] } : tensor);
        Assert.Contains("does not fit its config.json: bert.embeddings.word_embeddings.weight (19,8 in the folder, 20,8 by its configuration). Take both",
            Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WeightsOfTheEncoderMissing_AreListedInOneMessage()
    {
        Save(tensor => tensor.Name.Contains("attention.self", StringComparison.Ordinal) ? null : tensor);
        Assert.Contains("lacks 6 of the encoder's weights: bert.encoder.layer.0.attention.self.", Refused(), StringComparison.Ordinal);
        Assert.Contains(" and 3 more. Is it the file of another architecture?", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_UnexpectedWeights_AreListedInOneMessageWithoutThoseOfPretraining()
    {
        var more = Enumerable.Range(1, 8).Select(i => $"bert.encoder.layer.{i}.new.weight").Concat(["cls.predictions.bias", "bert.embeddings.position_ids"]);
        Save(tensor => tensor, [.. more.Select(name => new Stored(name, [1], [0]))]);
        using var model = Load();
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"bert.encoder.layer.{i}.new.weight"), model.LoadReport.Unexpected.Order(StringComparer.Ordinal));
        Assert.Equal($"Weights of {model.LoadReport.Source}: not used: {string.Join(", ", model.LoadReport.Unexpected.Take(6))} and 2 more.", model.LoadReport.Describe());
    }

    [Fact]
    public void Load_WeightThatIsNotFinite_IsRefusedByName()
    {
        Save(tensor => tensor.Name == "bert.pooler.dense.bias" ? tensor with { Values = [0, 0, 0, 0, 0, 0, float.NaN, 0] } : tensor);
        Assert.Contains("element 6 of the tensor \"bert.pooler.dense.bias\" is NaN", Refused(), StringComparison.Ordinal);
    }
}
