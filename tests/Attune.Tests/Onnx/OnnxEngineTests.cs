using Attune.Batching;
using Attune.Inference;
using Attune.Models;
using Attune.Onnx;
using Attune.Onnx.Export;
using Attune.Tests.Datasets;
using CsCheck;

namespace Attune.Tests.Onnx;

[Collection("torch")]
public sealed class OnnxEngineTests : IDisposable
{
    private const float Tolerance = 1e-5f;

    private readonly TemporaryFolder _folder = new();
    private readonly BertForSequenceClassification _model = OnnxExportTests.Random(OnnxExportTests.Small, 5);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Logits_ManyRows_AreThoseOfEachRowAloneInItsPlace()
    {
        using var exported = ExportedModel.Of(_model);
        using var engine = exported.Engine();
        var rows = OnnxExportTests.Rows(1, 60, 60, 40, 2);
        var together = Compute(engine, rows);
        for (var i = 0; i < rows.Length; i++) TensorAssert.Close(Compute(engine, rows[i]), together.AsSpan(i * 3, 3), Tolerance, $"row {i}");
    }

    [Fact]
    public void Logits_ManyThreads_AreThoseOfOne()
    {
        using var exported = ExportedModel.Of(_model);
        using var engine = exported.Engine(threads: 2);
        var rows = OnnxExportTests.Rows(2, 24, 60, 40, 2);
        var expected = Compute(engine, rows);
        Parallel.For(0, 64, _ => Assert.Equal(expected, Compute(engine, rows)));
    }

    [Fact]
    public void Groups_AnyRows_AreAllOfThemOnceAndHaveLittlePadding() => Gen.Int[1, 512].Array[1, 200].Sample(lengths =>
    {
        var rows = lengths.Select(length => new TokenizedRow(new int[length])).ToList();
        var groups = PaddedGroups.Of(rows).ToList();
        Assert.Equal(Enumerable.Range(0, rows.Count), groups.SelectMany(group => group).Order());
        Assert.All(groups, group => Assert.True(group.Max(row => lengths[row]) * group.Length <= 1.2 * group.Sum(row => lengths[row]) + 64));
    }, iter: 300, threads: 1);

    [Fact]
    public void Load_SeveralModels_TakesTheExactOne()
    {
        foreach (var precision in new[] { OnnxPrecision.Fp16, OnnxPrecision.Int8, OnnxPrecision.Fp32 })
        {
            using var exported = ExportedModel.Of(_model, new OnnxExportOptions { Precision = precision });
            File.Copy(exported.File, Path.Combine(_folder.Path, OnnxModelFile.Name(precision)));
            Assert.Equal(Path.Combine(_folder.Path, OnnxModelFile.Name(precision)), OnnxModelFile.Find(_folder.Path));
        }
        _model.SavePretrained(_folder.Path);
        using var engine = OnnxEngine.Load(_folder.Path);
        var rows = OnnxExportTests.Rows(1, 5, 60, 40, 2);
        var expected = new float[rows.Length * 3];
        new OnnxExportTests.ModelEngine(_model).Logits(rows, expected);
        TensorAssert.Close(expected, Compute(engine, rows), Tolerance, "logits");
    }

    [Fact]
    public void Classifier_FolderWithOnnxAlone_RunsByIt()
    {
        Write();
        using var classifier = Classifier.Load(_folder.Path);
        Assert.IsType<OnnxEngine>(classifier.Engine);
        string[] texts = ["w1 w2 w3", "w9", "", string.Join(' ', Enumerable.Range(0, 60).Select(i => $"w{i % 50}"))];
        var together = classifier.Predict(texts, cancellation: TestContext.Current.CancellationToken);
        for (var i = 0; i < texts.Length; i++)
        {
            Assert.Equal(1, together[i].Scores.Sum(), Tolerance);
            Assert.Equal(classifier.Predict(texts[i]).Scores, together[i].Scores, (one, other) => Math.Abs(one - other) < Tolerance);
        }
    }

    /// <summary>The export may be older than the weights beside it, so it is taken only where it is asked for or there is nothing else.</summary>
    [Theory]
    [InlineData("model.safetensors", EngineChoice.Auto, EngineChoice.Torch)]
    [InlineData("model.safetensors", EngineChoice.Onnx, EngineChoice.Onnx)]
    [InlineData("model.safetensors.index.json", EngineChoice.Auto, EngineChoice.Torch)]
    [InlineData("pytorch_model.bin", EngineChoice.Auto, EngineChoice.Torch)]
    [InlineData("pytorch_model.bin.index.json", EngineChoice.Auto, EngineChoice.Torch)]
    [InlineData("adapter_config.json", EngineChoice.Auto, EngineChoice.Torch)]
    [InlineData(null, EngineChoice.Auto, EngineChoice.Onnx)]
    [InlineData(null, EngineChoice.Torch, EngineChoice.Torch)]
    public void EngineFor_FolderWithExport_TakesTheWeightsFirst(string? weights, EngineChoice asked, EngineChoice expected)
    {
        _folder.Write("model_fp16.onnx", "");
        if (weights is not null) _folder.Write(weights, "");
        Assert.Equal(expected, ClassifierEngines.For(_folder.Path, asked));
    }

    [Fact]
    public void Classifier_WeightsBesideAnExport_RunsByThem()
    {
        Write();
        _model.SavePretrained(_folder.Path);
        using (var classifier = Classifier.Load(_folder.Path)) Assert.IsType<TorchEngine>(classifier.Engine);
        using (var classifier = Classifier.Load(_folder.Path, new ClassifierOptions { Engine = EngineChoice.Onnx })) Assert.IsType<OnnxEngine>(classifier.Engine);
    }

    [Fact]
    public void Classifier_AskedForLibtorch_DoesNotTakeTheOnnxModel()
    {
        Write();
        var message = Assert.Throws<AttuneException>(() => Classifier.Load(_folder.Path, new ClassifierOptions { Engine = EngineChoice.Torch })).Message;
        Assert.Contains("has no weights", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhatCannotBeUsed_IsOneSentence()
    {
        Refused("has no model.onnx; write it by attune export.");
        Write();
        var file = Path.Combine(_folder.Path, "model.onnx");
        var bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, bytes[..(bytes.Length / 2)]);
        Refused("cannot be loaded: ");
        File.WriteAllText(file, "no model at all");
        Refused("cannot be loaded: ");
        File.WriteAllBytes(file, []);
        Refused("cannot be loaded: ");
        File.WriteAllBytes(file, bytes);
        var config = Path.Combine(_folder.Path, BertConfig.FileName);
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"2\": \"c\"", "\"2\": \"c\", \"3\": \"d\"", StringComparison.Ordinal));
        Refused("it has 3 classes, and its config.json 4");
        File.Delete(config);
        Refused("does not exist: a model folder needs its config.json.");

        void Refused(string why)
        {
            var message = Assert.Throws<AttuneException>(() => OnnxEngine.Load(_folder.Path)).Message;
            Assert.Contains(why, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Sentence_LibraryIsMissing_SaysSo()
    {
        var missing = new TypeInitializationException("NativeMethods", new DllNotFoundException("Unable to load shared library 'onnxruntime'.\nIn order to help..."));
        Assert.Equal(
            "ONNX Runtime's own library cannot be loaded (Unable to load shared library 'onnxruntime'); publish the program for this platform, or add the package Microsoft.ML.OnnxRuntime to it.",
            OnnxSession.Sentence("model.onnx", missing));
        Assert.Null(OnnxSession.Sentence("model.onnx", new InvalidOperationException("ours")));
    }

    /// <summary>Bytes changed at random: an answer or one sentence, never the end of the process.</summary>
    [Fact]
    public void Load_DamagedFile_IsRefusedOrComputes()
    {
        Write();
        var file = Path.Combine(_folder.Path, "model.onnx");
        var (bytes, random) = (File.ReadAllBytes(file), new Random(7));
        var rows = OnnxExportTests.Rows(1, 2, 60, 10, 2);
        for (var i = 0; i < 60; i++)
        {
            var changed = (byte[])bytes.Clone();
            // The graph is in the first thirtieth of the file, the weights behind it.
            for (var change = 0; change < 3; change++) changed[random.Next(changed.Length / 30)] = (byte)random.Next(256);
            File.WriteAllBytes(file, changed);
            try
            {
                using var engine = OnnxEngine.Load(_folder.Path, threads: 1);
                Compute(engine, rows);
            }
            catch (AttuneException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    [Fact]
    public void Logits_RowsThatDoNotFit_AreOneSentence()
    {
        using var exported = ExportedModel.Of(_model);
        using var engine = exported.Engine();
        Refused(new TokenizedRow([1, 60]), "Token id 60 is outside the model's 60: use the tokenizer that belongs to the model.");
        Refused(new TokenizedRow([1, -1]), "Token id -1 is outside the model's 60: use the tokenizer that belongs to the model.");
        Refused(new TokenizedRow([1, 2], [0, 2]), "Token type 2 is outside the model's 2: this model does not take text pairs.");
        Refused(new TokenizedRow(new int[41]), "A row has 41 tokens, and the model's limit is 40: set --max-length to at most that.");
        Assert.Equal("threads is 0; it must be at least 1.", Assert.Throws<AttuneException>(() => exported.Engine(threads: 0)).Message);

        void Refused(TokenizedRow row, string why) => Assert.Equal(why, Assert.Throws<AttuneException>(() => Compute(engine, row)).Message);
    }

    [Fact]
    public void Load_WeightsOf8Bits_NeedAProcessorThatSumsThem()
    {
        using var exported = ExportedModel.Of(_model, new OnnxExportOptions { Precision = OnnxPrecision.Int8, WeightBits = 8 });
        if (!WeightBits.IsSaturating) exported.Engine().Dispose();
        else Assert.Contains("--weight-bits 7", Assert.Throws<AttuneException>(() => exported.Engine()).Message, StringComparison.Ordinal);
        using var seven = ExportedModel.Of(_model, new OnnxExportOptions { Precision = OnnxPrecision.Int8, WeightBits = 7 });
        seven.Engine().Dispose();
        Assert.Equal(WeightBits.IsSaturating ? 7 : 8, WeightBits.OfThisProcessor);
    }

    private static float[] Compute(OnnxEngine engine, params TokenizedRow[] rows)
    {
        var logits = new float[rows.Length * engine.Config.NumLabels];
        engine.Logits(rows, logits);
        return logits;
    }

    /// <summary>A folder as the command leaves it: the exported model, its configuration and its tokenizer.</summary>
    private void Write()
    {
        _model.SavePretrained(_folder.Path);
        File.Delete(Path.Combine(_folder.Path, "model.safetensors"));
        _folder.Write("vocab.txt", string.Join('\n', new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" }.Concat(Enumerable.Range(0, 55).Select(i => $"w{i}"))) + "\n");
        using var exported = ExportedModel.Of(_model);
        File.Copy(exported.File, Path.Combine(_folder.Path, "model.onnx"));
    }
}
