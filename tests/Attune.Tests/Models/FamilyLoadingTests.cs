using System.Runtime.InteropServices;
using Attune.Formats;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tests.Formats;

namespace Attune.Tests.Models;

/// <summary>Folders as people have them: the encoder alone, with the head of its pretraining, old files, files of other frameworks.</summary>
[Collection("torch")]
public sealed class FamilyLoadingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => Families.Names;

    public void Dispose() => _folder.Dispose();

    /// <summary>What the hub has as the base of a family: an encoder under its prefix or under none, the pretraining's head, tables that are no weights.</summary>
    [Theory, MemberData(nameof(Names))]
    public void FromPretrained_BaseCheckpoint_GetsANewHeadAlone(string family)
    {
        using var saved = Save(family);
        foreach (var isBare in (ReadOnlySpan<bool>)[false, true])
        {
            string Name(string name) => isBare ? name[saved.EncoderPrefix.Length..] : name;
            var prefix = isBare ? "" : saved.EncoderPrefix;
            var encoder = saved.Weights.All.Where(IsOfEncoder).ToList();
            Write([
                .. encoder.Select(weight => (Name(weight.Name), weight)),
                ("lm_head.bias", encoder[^1]), ("cls.predictions.bias", encoder[^1]), ($"{prefix}embeddings.position_ids", encoder[^1]),
            ]);
            using var model = AutoModelForSequenceClassification.FromPretrained(_folder.Path, seed: 5);
            Assert.Equal(saved.Weights.All.Where(weight => !IsOfEncoder(weight)).Select(weight => weight.Name).Order(), model.LoadReport.New.Order());
            Assert.Equal(["cls.predictions.bias", "lm_head.bias"], model.LoadReport.OfPretraining.Order());
            Assert.Empty(model.LoadReport.Unexpected);
            Assert.All(encoder, weight => Assert.True(weight.Span.SequenceEqual(model.Weights[weight.Name].Span), weight.Name));
        }

        bool IsOfEncoder(Weight weight) => weight.Name.StartsWith(saved.EncoderPrefix, StringComparison.Ordinal);
    }

    [Fact]
    public void FromPretrained_PoolerThatTheFamilyDoesWithout_IsLeftOut()
    {
        using var saved = Save("roberta");
        Write([.. saved.Weights.All.Select(weight => (weight.Name, weight)), ("roberta.pooler.dense.bias", saved.Weights["classifier.dense.bias"])]);
        using var model = AutoModelForSequenceClassification.FromPretrained(_folder.Path);
        Assert.Equal("", model.LoadReport.Describe());
        Assert.Equal(["roberta.pooler.dense.bias"], model.LoadReport.OfPretraining);
    }

    [Fact]
    public void FromPretrained_OldFileOfWeights_IsRead()
    {
        using var saved = Save("xlm-roberta");
        File.Delete(Path.Combine(_folder.Path, WeightFiles.SafeTensorsName));
        WriteOld(saved);
        using var model = AutoModelForSequenceClassification.FromPretrained(_folder.Path);
        Assert.Equal("", model.LoadReport.Describe());
        Assert.All(saved.Weights.All, weight => Assert.True(weight.Span.SequenceEqual(model.Weights[weight.Name].Span), weight.Name));
    }

    [Fact]
    public void FromPretrained_WeightsOfAnotherFamily_SaysThatTheyAreMissing()
    {
        Save("distilbert").Dispose();
        _folder.Write(PreTrainedConfig.FileName, Json(Families.Tiny("roberta")));
        var message = Assert.Throws<AttuneException>(() => AutoModelForSequenceClassification.FromPretrained(_folder.Path)).Message;
        Assert.Contains("of the encoder's weights: roberta.", message, StringComparison.Ordinal);
        Assert.EndsWith("Is it the file of another architecture?", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tf_model.h5", "has weights of TensorFlow only (tf_model.h5); save them from PyTorch first")]
    [InlineData("flax_model.msgpack", "has weights of Flax only (flax_model.msgpack); save them from PyTorch first")]
    public void FromPretrained_FileOfAnotherFramework_IsRefused(string file, string message)
    {
        _folder.Write(PreTrainedConfig.FileName, Json(Families.Tiny("bert")));
        _folder.Write(file, "x");
        Assert.Contains(message, Assert.Throws<AttuneException>(() => AutoModelForSequenceClassification.FromPretrained(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromPretrained_NamesOfTensorFlow_AreRefused()
    {
        using var saved = Save("bert");
        Write([("tf_bert_for_sequence_classification/bert/pooler/dense/kernel:0", saved.Weights["bert.pooler.dense.weight"])]);
        Assert.Contains("holds weights of TensorFlow or Flax, such as \"tf_bert", Assert.Throws<AttuneException>(() => AutoModelForSequenceClassification.FromPretrained(_folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_UnknownFamily_NamesThoseThatThereAre()
    {
        var file = _folder.Write(PreTrainedConfig.FileName, "{\"model_type\": \"t5\"}");
        Assert.Equal($"{file} describes a model of type \"t5\"; Attune has {string.Join(", ", ModelTypes.Names)}.", Assert.Throws<AttuneException>(() => PreTrainedConfig.Load(file)).Message);
    }

    [Theory]
    [InlineData("""{"model_type": "distilbert", "sinusoidal_pos_embds": true}""", "sinusoidal_pos_embds is true; expected false")]
    [InlineData("""{"model_type": "albert", "inner_group_num": 2}""", "inner_group_num is 2; expected 1")]
    [InlineData("""{"model_type": "albert", "num_hidden_groups": 13}""", "num_hidden_groups 13 is more than num_hidden_layers 12")]
    [InlineData("""{"model_type": "electra", "embedding_size": 0}""", "embedding_size is 0; expected a whole number above 0")]
    [InlineData("""{"model_type": "distilbert", "dim": 10, "n_heads": 3}""", "dim 10 is not a multiple of n_heads 3")]
    [InlineData("""{"model_type": "roberta", "pad_token_id": null}""", "pad_token_id is null, but positions begin behind it")]
    [InlineData("""{"model_type": "camembert", "pad_token_id": 511}""", "max_position_embeddings 512 leaves no position behind pad_token_id 511")]
    [InlineData("""{"model_type": "roberta", "position_embedding_type": "relative_key"}""", "position_embedding_type is \"relative_key\"; expected absolute")]
    public void Load_WhatAttuneDoesNotHave_IsNamed(string json, string message) =>
        Assert.Contains(message, Assert.Throws<AttuneException>(() => PreTrainedConfig.Load(_folder.Write(PreTrainedConfig.FileName, json))).Message, StringComparison.Ordinal);

    [Fact]
    public void Forward_LongestRowOfRoberta_EndsWhereThePositionsDo()
    {
        using var model = AutoModelForSequenceClassification.FromConfig(Families.Tiny("roberta"));
        Assert.Equal(22, model.Config.MaxTokens);
        using (model.Forward(Attune.Batching.Batch.Pack([new([.. Enumerable.Repeat(5, 22)])])))
        {
        }
        Assert.Contains("A row has more than 22 tokens", Assert.Throws<AttuneException>(() => model.Forward(Attune.Batching.Batch.Pack([new([.. Enumerable.Repeat(5, 23)])]))).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Writes an older file of weights.</summary>
    internal static void WriteOld(PreTrainedModel model, string folder)
    {
        var weights = model.Weights.All.ToList();
        var pickle = TorchFiles.StateDict([.. weights.Select((weight, i) => (weight.Name, TorchFiles.Tensor(
            TorchFiles.Storage("FloatStorage", i, weight.NumberOfElements), 0, [.. weight.Shape], weight.Shape.Count == 2 ? [weight.Shape[1], 1] : [1])))]);
        File.WriteAllBytes(Path.Combine(folder, WeightFiles.PickleName), TorchFiles.File(pickle, [.. weights.Select(weight => MemoryMarshal.AsBytes(weight.Span).ToArray())]));
    }

    private void WriteOld(PreTrainedModel model) => WriteOld(model, _folder.Path);

    private SequenceClassificationModel Save(string family)
    {
        var model = AutoModelForSequenceClassification.FromConfig(Families.Tiny(family), seed: 9);
        foreach (var weight in model.Weights.All)                           // biases and norms too must be told apart from new ones
            for (var i = 0; i < weight.Span.Length; i++) weight.Span[i] += 0.01f * (i % 50 + 1);
        model.SavePretrained(_folder.Path);
        return model;
    }

    private void Write(IEnumerable<(string Name, Weight Weight)> weights) => SafeTensors.Write(Path.Combine(_folder.Path, WeightFiles.SafeTensorsName),
        [.. weights.Select(one => TensorToWrite.Of(one.Name, WeightType.F32, one.Weight.Shape, one.Weight.Span.ToArray()))]);

    private static string Json(PreTrainedConfig config) => PythonJson.Write(config.ToJson("x"));
}
