using System.Text.Json;
using Attune.Cli;
using Attune.Formats;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tests.Models;

namespace Attune.Tests.Cli;

[Collection("torch")]
public sealed class ConvertCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _old, _new;

    public ConvertCommandTests() => (_old, _new) = (Path.Combine(_folder.Path, "old"), Path.Combine(_folder.Path, "new"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Convert_OldFileOfWeights_GivesTheFolderThatTransformersWouldWrite()
    {
        using var model = AutoModelForSequenceClassification.FromConfig(Families.Tiny("roberta"), seed: 2);
        model.SavePretrained(_old);
        var expected = File.ReadAllBytes(Path.Combine(_old, WeightFiles.SafeTensorsName));
        File.Delete(Path.Combine(_old, WeightFiles.SafeTensorsName));
        FamilyLoadingTests.WriteOld(model, _old);
        _folder.Write("old/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("convert", _old, "--output-dir", _new, "--json"));
        using var result = JsonDocument.Parse(terminal.Out);
        Assert.Equal(("roberta", model.Weights.All.Count), (result.RootElement.GetProperty("model_type").GetString(), result.RootElement.GetProperty("tensors").GetInt32()));
        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(_new, WeightFiles.SafeTensorsName)));
        Assert.Equal(File.ReadAllBytes(Path.Combine(_old, "config.json")), File.ReadAllBytes(Path.Combine(_new, "config.json")));
        Assert.True(File.Exists(Path.Combine(_new, "vocab.txt")));
    }

    /// <summary>Whatever else is in the file stays: a head of pretraining, half precision, the encoder's own names.</summary>
    [Fact]
    public void Convert_OldNames_AreTodaysAndTheRestIsAsItWas()
    {
        _folder.Write("old/config.json", "{\"model_type\": \"bert\"}");
        SafeTensors.Write(Path.Combine(_old, WeightFiles.SafeTensorsName),
        [
            TensorToWrite.Of<ushort>("embeddings.LayerNorm.gamma", WeightType.F16, [2], [1, 2]), TensorToWrite.Of<float>("cls.predictions.bias", WeightType.F32, [1], [3]),
        ]);
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("convert", _old, "--output-dir", _new));
        Assert.Equal($"{Path.Combine(_new, WeightFiles.SafeTensorsName)}: 2 tensors of a model of type bert, 0.0 MB.\n", terminal.Out);
        Assert.Equal([$"{_old} has no tokenizer, so {_new} has none either."], terminal.Told);
        using var written = SafeTensors.Open(Path.Combine(_new, WeightFiles.SafeTensorsName));
        Assert.Equal([("cls.predictions.bias", WeightType.F32), ("embeddings.LayerNorm.weight", WeightType.F16)], written.Entries.Select(entry => (entry.Name, entry.Type)));
    }

    [Theory]
    [InlineData("tf_model.h5", "has weights of TensorFlow only (tf_model.h5)")]
    [InlineData("flax_model.msgpack", "has weights of Flax only (flax_model.msgpack)")]
    [InlineData("adapter_config.json", "is an adapter, and its files are in the present layout")]
    [InlineData("README.md", "has no weights")]
    public void Convert_WhatCannotBeConverted_IsRefusedInOneSentence(string file, string message)
    {
        _folder.Write("old/config.json", "{\"model_type\": \"bert\"}");
        _folder.Write("old/" + file, "{}");
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("convert", _old, "--output-dir", _new));
        Assert.Contains(message, Assert.Single(terminal.Told), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_new));
    }

    [Fact]
    public void Convert_FolderInUse_IsRefused()
    {
        _folder.Write("new/mine.txt", "x");
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run("convert", _old, "--output-dir", _new));
        Assert.Equal(ExitCode.Usage, terminal.Run("convert", _old));
        Assert.Equal([$"attune: {_new} is there already and not empty; name a new folder by --output-dir.", "attune: attune convert writes a new folder; name it by --output-dir."], terminal.Told);
    }
}
