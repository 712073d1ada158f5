using Attune.Models;
using Attune.Native;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>What <c>tune</c> names is trained and nothing else, and what <c>reinit_layers</c> draws anew is that of a new model.</summary>
[Collection("torch")]
public sealed class TuneTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    public void Dispose() => _folder.Dispose();

    private static bool IsTrained(string tune, string weight) => !weight.StartsWith("bert.", StringComparison.Ordinal) || tune switch
    {
        "full" => true,
        "head" => false,
        "bitfit" => weight.EndsWith(".bias", StringComparison.Ordinal),
        "layers:1" => !weight.Contains(".embeddings.", StringComparison.Ordinal) && !weight.Contains(".layer.0.", StringComparison.Ordinal),
        _ => !weight.Contains(".embeddings.", StringComparison.Ordinal),
    };

    [Theory, InlineData("full"), InlineData("head"), InlineData("bitfit"), InlineData("layers:1"), InlineData("layers:2")]
    public void Train_Tuned_MovesThatPartAndNoOther(string tune)
    {
        using BertForSequenceClassification before = TinyRun.Model(), after = TinyRun.Model();
        Trainer(after, args => args with { Tune = tune, WeightDecay = 0.1 }).Train(cancellation: TestContext.Current.CancellationToken);
        foreach (var weight in before.Weights.All)
            Assert.True(Values(before, weight).SequenceEqual(Values(after, weight)) != IsTrained(tune, weight.Name), $"{tune}: {weight.Name}");
        Assert.Equal(tune != "full", _notices.Exists(line => line.StartsWith("Frozen: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("layers:3", null, "tune is layers:3, but the model has 2 layers; give layers:2 at most, or full.")]
    [InlineData("layers:0", null, "tune is layers:0; it must be full, head, bitfit, lora or layers:N")]
    [InlineData("everything", null, "tune is everything; it must be full, head, bitfit, lora or layers:N")]
    [InlineData("full", "embeddings", "tune is full and freeze is embeddings, but both say what is trained; give one of them.")]
    public void Create_UnfitTune_IsOneSentence(string tune, string? freeze, string message)
    {
        using var model = TinyRun.Model();
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => Trainer(model, args => args with { Tune = tune, Freeze = freeze })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToLoraConfig_OfTuneLora_HasTheUsualRank()
    {
        Assert.Equal(8, new TrainingArguments { Tune = "lora" }.ToLoraConfig()!.R);
        Assert.Equal(3, new TrainingArguments { Tune = "lora", LoraR = 3 }.ToLoraConfig()!.R);
        Assert.Null(new TrainingArguments { Tune = "full" }.ToLoraConfig());
        using var model = TinyRun.Model();
        Assert.StartsWith("tune is head, but lora_r asks for an adapter",
            Assert.Throws<AttuneException>(() => Trainer(model, args => args with { Tune = "head", LoraR = 3 })).Message, StringComparison.Ordinal);
        Assert.StartsWith("an adapter is asked for (lora_r, or tune lora), but the model was made without an adapter",
            Assert.Throws<AttuneException>(() => Trainer(model, args => args with { Tune = "lora" })).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public void Train_ReinitLayers_DrawsThePoolerAndTheTopLayersOfANewModel(int layers)
    {
        using BertForSequenceClassification before = TinyRun.Model(), model = TinyRun.Model(), fresh = BertForSequenceClassification.FromConfig(TinyRun.Config, seed: 9);
        foreach (var weight in (Weight[])[.. before.Weights.All, .. model.Weights.All]) weight.Span.Fill(0.5f);
        var trainer = Trainer(model, args => args with { ReinitLayers = layers, Seed = 9, LearningRate = 0 });
        trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TinyRun.Weights(before), TinyRun.Weights(model));          // who does not train keeps the model
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        foreach (var weight in before.Weights.All)
        {
            var isDrawn = layers > 0 && (weight.Name.Contains(".pooler.", StringComparison.Ordinal) || weight.Name.Contains(".layer.1.", StringComparison.Ordinal))
                || layers > 1 && weight.Name.Contains(".layer.0.", StringComparison.Ordinal);
            Assert.True(Values(isDrawn ? fresh : before, weight).SequenceEqual(Values(model, weight)), $"{layers}: {weight.Name}");
        }
        Assert.Equal(layers == 0 ? 0 : 1, _notices.Count(line => line == $"Drawn anew: the pooler and the top {layers} of 2 layers."));
    }

    [Theory]
    [InlineData(3, null, null, "reinit_layers is 3, but the model has 2 layers; give 2 at most.")]
    [InlineData(-1, null, null, "reinit_layers is -1; it must be at least 0.")]
    [InlineData(2, "layers:1", null, "reinit_layers is 2, but bert.encoder.layer.0.")]
    [InlineData(1, null, "bitfit", "reinit_layers is 1, but bert.encoder.layer.1.")]
    public void Create_UnfitReinitLayers_IsOneSentence(int layers, string? freeze, string? tune, string message)
    {
        using var model = TinyRun.Model();
        Assert.StartsWith(message, Assert.Throws<AttuneException>(
            () => Trainer(model, args => args with { ReinitLayers = layers, Freeze = freeze, Tune = tune })).Message, StringComparison.Ordinal);
    }

    private Trainer Trainer(BertForSequenceClassification model, Func<TrainingArguments, TrainingArguments> change) =>
        new(model, change(TinyRun.Arguments(Path.Combine(_folder.Path, "out"))), TinyRun.Data(11), TinyRun.Data(9, seed: 1), notice: _notices.Add);

    private static float[] Values(BertForSequenceClassification model, Weight weight) => LibTorch.Span(model.Weights[weight.Name].Value).ToArray();
}
