using System.Text.Json;
using Attune.Batching;
using Attune.Cli;
using Attune.Inference;
using Attune.Models;
using Attune.Onnx;
using Attune.Onnx.Export;
using Attune.Tests.Cli;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Onnx;

[Collection("torch")]
public sealed class ExportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public ExportCommandTests()
    {
        _model = Path.Combine(_folder.Path, "model");
        _folder.Write("model/vocab.txt", string.Join('\n', new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "a", "is", "good", "bad" }) + "\n");
        using var model = OnnxExportTests.Random(OnnxExportTests.Small with { LabelNames = ["negative", "positive"] }, 3);
        model.SavePretrained(_model);
        new PredictionSettings { LongTexts = LongTexts.Windows, MaxLength = 20 }.Save(_model);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("fp32", "model.onnx")]
    [InlineData("fp16", "model_fp16.onnx")]
    [InlineData("int8", "model_quantized.onnx")]
    public void Export_Precision_WritesAFolderThatRunsAlone(string precision, string file)
    {
        var terminal = new RecordingTerminal();
        var into = Path.Combine(_folder.Path, "service");
        Assert.Equal(ExitCode.Success, terminal.Run("export", _model, "--format", "onnx", "--precision", precision, "--output-dir", into, "--json", "--check-rows", "24"));
        using var result = JsonDocument.Parse(terminal.Out);
        Assert.Equal(24, result.RootElement.GetProperty("rows").GetInt32());
        Assert.Equal(Path.Combine(into, file), result.RootElement.GetProperty("file").GetString());
        Assert.True(result.RootElement.GetProperty("largest_difference").GetDouble() <= (precision == "fp32" ? 1e-5 : 0.5));
        Assert.Equal(new[] { "attune_prediction.json", "config.json", file, "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt" }.Order(StringComparer.Ordinal),
            Directory.EnumerateFileSystemEntries(into).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        Directory.Delete(_model, recursive: true);
        using var classifier = Classifier.Load(into);
        Assert.IsType<OnnxEngine>(classifier.Engine);
        Assert.Equal(LongTexts.Windows, classifier.Settings.LongTexts);
        Assert.Contains(classifier.Predict("the film is good").Label, (string[])["negative", "positive"]);
    }

    [Fact]
    public void Export_NoFolderNamed_GoesIntoTheModelsOwn()
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("export", "--model", _model, "--external-data", "--check-rows", "10"));
        Assert.StartsWith(Path.Combine(_model, "onnx", "model.onnx") + ": ", terminal.Out, StringComparison.Ordinal);
        Assert.Contains("Checked on 10 rows: logits differ by at most ", terminal.Out, StringComparison.Ordinal);
        Assert.EndsWith(", 10 of 10 have the same label.\n", terminal.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_model, "onnx", "model.onnx_data")));

        // A second one beside it: the command says which of them counts.
        Assert.Equal(ExitCode.Success, terminal.Run("export", _model, "--precision", "int8", "--weight-bits", "7"));
        Assert.Contains("also holds model.onnx, which Attune takes before model_quantized.onnx", terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Export_RowsOfAFile_AreThoseOfTheCheck()
    {
        var file = _folder.Write("rows.csv", "text,label\nthe film is good,positive\na bad one,negative\nis it,positive\n");
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("export", _model, "--validation-file", file, "--no-token-cache"));
        Assert.Contains("Checked on 3 rows", terminal.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "attune: weight_bits is 6; it must be 7 or 8.", "--precision", "int8", "--weight-bits", "6")]
    [InlineData(2, "attune: --weight-bits is for --precision int8; give that, or leave it out.", "--weight-bits", "7")]
    [InlineData(2, "attune: check_rows is 0; it must be at least 1.", "--check-rows", "0")]
    [InlineData(2, "attune: attune export takes one model; name it once.", "another")]
    [InlineData(2, "attune: precision is int4; it must be one of fp32, fp16, int8.", "--precision", "int4")]
    [InlineData(1, "attune: validation.csv: there is no such file", "--validation-file", "validation.csv")]
    public void Export_WrongArguments_AreOneSentenceAndNothingIsWritten(int code, string message, params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(code, terminal.Run(["export", _model, .. words]));
        Assert.StartsWith(message, terminal.Told[^1], StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_model, "onnx")));
    }

    [Fact]
    public void Predict_Bf16OfAnExport_IsRefused()
    {
        var into = Path.Combine(_folder.Path, "service");
        Assert.Equal(ExitCode.Success, new RecordingTerminal().Run("export", _model, "--output-dir", into, "--check-rows", "5"));
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run("predict", "--model", into, "--bf16", "good"));
        Assert.Equal($"attune: --bf16 is for --engine torch, and what runs {into} here is ONNX Runtime; leave --bf16 out.", terminal.Told[^1]);
    }

    /// <summary>Logits of float16 that come of large weights which nearly cancel.</summary>
    [Fact]
    public void Export_Fp16ThatGivesOtherLabels_IsRefusedAndNothingIsWritten()
    {
        Change(model =>
        {
            var (pooler, weight) = (model.Weights["bert.pooler.dense.weight"], model.Weights["classifier.weight"]);
            pooler.Span.Clear();
            model.Weights["bert.pooler.dense.bias"].Span.Fill(1);
            weight.Span.Clear();
            (weight.Span[0], weight.Span[1]) = (1000.2f, -1000);            // 0.2 in all, and nothing in float16
            (model.Weights["classifier.bias"].Span[0], model.Weights["classifier.bias"].Span[1]) = (0, 0.1f);
        });
        Refused("fp16", "of 12 rows 0 have the same label. Nothing was written; ", "--check-rows", "12");
    }

    [Fact]
    public void Export_Int8ThatGivesOtherLabels_IsRefusedAndNothingIsWritten()
    {
        const string text = "the film is good";
        Change(model =>
        {
            // Between what the model says of the text and what its int8 does.
            using var exported = ExportedModel.Of(model, new OnnxExportOptions { Precision = OnnxPrecision.Int8 });
            using var engine = exported.Engine();
            var rows = EncodedTexts.Encode([text], null, Tokenizer.FromPretrained(_model), 24).Dataset.Rows;
            var (one, other) = (new float[2], new float[2]);
            new OnnxExportTests.ModelEngine(model).Logits(rows, one);
            engine.Logits(rows, other);
            Assert.NotEqual(one[1] - one[0], other[1] - other[0], 1e-5f);
            model.Weights["classifier.bias"].Span[0] += (one[1] - one[0] + other[1] - other[0]) / 2;
        });
        var file = _folder.Write("rows.csv", "text,label\n" + string.Concat(Enumerable.Repeat(text + ",positive\n", 3)));
        Refused("int8", "of 3 rows 0 have the same label. Nothing was written; ", "--validation-file", file, "--no-token-cache");
    }

    [Theory]
    [InlineData(OnnxPrecision.Fp32, 1e-4, 100, 0, true)]
    [InlineData(OnnxPrecision.Fp32, 2e-4, 100, 100, false)]
    [InlineData(OnnxPrecision.Fp16, 0.05, 1, 95, true)]
    [InlineData(OnnxPrecision.Fp16, 0.05, 1, 94, false)]
    [InlineData(OnnxPrecision.Fp16, 0.06, 1, 100, false)]
    [InlineData(OnnxPrecision.Fp16, 0.4, 8, 100, true)]
    [InlineData(OnnxPrecision.Int8, 3, 1, 95, true)]
    [InlineData(OnnxPrecision.Int8, 3, 1, 94, false)]
    [InlineData(OnnxPrecision.Int8, double.PositiveInfinity, 1, 100, false)]
    public void Check_Precision_SaysWhatMayBePublished(OnnxPrecision precision, double difference, double logit, int same, bool isGood) =>
        Assert.Equal(isGood, new ExportCheck(100, difference, logit, same).IsGood(precision));

    private void Change(Action<BertForSequenceClassification> change)
    {
        using var model = BertForSequenceClassification.FromPretrained(_model);
        change(model);
        model.SavePretrained(_model);
    }

    private void Refused(string precision, string why, params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run(["export", _model, "--precision", precision, .. words]));
        Assert.Contains(why, terminal.Told[^1], StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_model, "onnx")));
    }

    [Fact]
    public void Export_UntrainedModel_IsRefused()
    {
        File.Delete(Path.Combine(_model, "model.safetensors"));
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("export", _model));
        Assert.Contains("has no weights", terminal.Told[^1], StringComparison.Ordinal);
    }
}
