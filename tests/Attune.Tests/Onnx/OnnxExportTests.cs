using System.Text;
using Attune.Batching;
using Attune.Cli;
using Attune.Inference;
using Attune.Models;
using Attune.Onnx.Export;
using Attune.Tests.Datasets;
using CsCheck;
using Microsoft.ML.OnnxRuntime;

namespace Attune.Tests.Onnx;

[Collection("torch")]
public sealed class OnnxExportTests : IDisposable
{
    private static readonly string[] Activations = ["gelu", "gelu_new", "relu", "silu", "quick_gelu", "tanh", "sigmoid", "linear"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Any shape of a model, and rows of any lengths.</summary>
    [Fact]
    public void AnyModel_ComputesWhatTheModelDoes() => Gen.Select(
            Gen.Int[1, 3], Gen.Int[1, 4], Gen.Int[1, 9], Gen.Int[1, 70], Gen.Int[1, 6], Gen.Int[1, 3], Gen.Int[0, Activations.Length - 1], Gen.Int[0, 1000])
        .Sample((layers, heads, size, inner, labels, types, activation, seed) =>
        {
            using var model = Random(new BertConfig
            {
                VocabSize = 50,
                HiddenSize = heads * size,
                NumHiddenLayers = layers,
                NumAttentionHeads = heads,
                IntermediateSize = inner,
                TypeVocabSize = types,
                MaxPositionEmbeddings = 30,
                HiddenAct = Activations[activation],
                LabelNames = [.. Enumerable.Range(0, labels).Select(i => $"label {i}")],
                InitializerRange = 0.3,
            }, seed);
            using var exported = ExportedModel.Of(model);
            using var engine = exported.Engine();
            var check = ExportCheck.Compare(new ModelEngine(model), engine, Rows(seed, 20, 50, 30, types));
            Assert.True(check.LargestDifference <= ExportCheck.Tolerance, $"differs by {check.LargestDifference}");
        }, iter: 40, threads: 1);

    [Fact]
    public void Graph_OnnxRuntimeJoinsItsOperations()
    {
        using var model = Random(Small with { NumHiddenLayers = 3 }, 1);
        var float32 = Optimized(model, OnnxPrecision.Fp32);
        Assert.Equal(2, Count(float32, "Attention"));                       // the last layer asks for first tokens only, and is not joined
        Assert.Equal(3, Count(float32, "BiasGelu"));
        Assert.Equal(7, Count(float32, "SkipLayerNormalization"));
        Assert.Equal(0, Count(float32, "LayerNormalization"));
        Assert.Equal(0, Count(float32, "Erf"));
        var whole = Optimized(model, OnnxPrecision.Int8);
        Assert.Equal(18, Count(whole, "DynamicQuantizeMatMul") + Count(whole, "MatMulIntegerToFloat"));
        Assert.Equal(0, Count(whole, "MatMulInteger"));
        Assert.Equal(7, Count(whole, "SkipLayerNormalization"));
    }

    [Fact]
    public void ExternalData_LiesBesideTheModelAndComputesTheSameBits()
    {
        using var model = Random(Small, 2);
        using var inside = ExportedModel.Of(model);
        using var outside = ExportedModel.Of(model, new OnnxExportOptions { ExternalData = true });
        Assert.False(File.Exists(inside.File + "_data"));
        Assert.True(new FileInfo(outside.File + "_data").Length > new FileInfo(outside.File).Length);
        Assert.True(new FileInfo(outside.File).Length < 40_000);
        var rows = Rows(3, 10, Small.VocabSize, Small.MaxPositionEmbeddings, 2);
        Assert.Equal(Logits(inside, rows), Logits(outside, rows));

        // The file of a former export does not stay.
        using var weights = new ModelWeights(model, "the model");
        using (var draft = OnnxDraft.Write(model.Config, weights, outside.File, new OnnxExportOptions())) draft.Publish();
        Assert.False(File.Exists(outside.File + "_data"));
        Assert.Equal(Logits(inside, rows), Logits(outside, rows));
    }

    [Fact]
    public void Draft_NotPublished_LeavesNothing()
    {
        using var model = Random(Small, 1);
        using var weights = new ModelWeights(model, "the model");
        var target = Path.Combine(_folder.Path, "model.onnx");
        using (var draft = OnnxDraft.Write(model.Config, weights, target, new OnnxExportOptions { ExternalData = true }))
        {
            Assert.True(File.Exists(draft.File));
            Assert.False(File.Exists(target));
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Check_OfAnotherModel_SeesIt()
    {
        using var model = Random(Small, 1);
        using var other = Random(Small, 2);
        using var exported = ExportedModel.Of(other);
        using var engine = exported.Engine();
        var check = ExportCheck.Compare(new ModelEngine(model), engine, Rows(1, 50, Small.VocabSize, Small.MaxPositionEmbeddings, 2));
        Assert.Equal(50, check.Rows);
        Assert.True(check.LargestDifference > 100 * ExportCheck.Tolerance);
        Assert.True(check.SameLabels < 50);
    }

    [Fact]
    public void Write_WeightsThatDoNotFit_IsOneSentence()
    {
        using var model = Random(Small, 1);
        model.SavePretrained(_folder.Path);
        var config = Path.Combine(_folder.Path, BertConfig.FileName);
        var text = File.ReadAllText(config);
        Refused(text.Replace("\"intermediate_size\": 64", "\"intermediate_size\": 65", StringComparison.Ordinal), "intermediate.dense.weight is (64,32) in the file and (65,32) by its configuration");
        Refused(text.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", StringComparison.Ordinal), "lacks bert.encoder.layer.2.attention.self.query.weight");
        Refused(text.Replace("\"gelu\"", "\"mish\"", StringComparison.Ordinal), "hidden_act is \"mish\"");
        File.WriteAllText(config, text);
        File.Delete(Path.Combine(_folder.Path, "model.safetensors"));
        Refused(text, "has no weights (model.safetensors or pytorch_model.bin)");

        void Refused(string json, string why)
        {
            Assert.NotEqual(why, json);
            File.WriteAllText(config, json);
            Assert.Contains(why, Assert.Throws<AttuneException>(() => OnnxExport.Write(_folder.Path, Path.Combine(_folder.Path, "model.onnx"))).Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder.Path), path => path.Contains("onnx", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Write_NumberTooLargeForFloat16_IsOneSentence()
    {
        using var model = Random(Small, 1);
        model.Weights["bert.pooler.dense.weight"].Span[3] = 1e5f;
        var message = Assert.Throws<AttuneException>(() => ExportedModel.Of(model, new OnnxExportOptions { Precision = OnnxPrecision.Fp16 })).Message;
        Assert.Equal("bert.pooler.dense.weight has the value 100000, which float16 cannot hold; export with --precision fp32 or int8.", message);
    }

    [Theory]
    [InlineData(7, 63)]
    [InlineData(8, 127)]
    public void QuantizedRows_AnyRow_IsWithinHalfAStep(int bits, int most) => Gen.Float[-5, 5].Array[1, 40].Sample(row =>
    {
        var rounded = QuantizedRows.Of([.. row, .. row.Select(_ => 0f)], 2, bits);
        Assert.All(rounded.Values, value => Assert.InRange(value, -most, most));
        for (var i = 0; i < row.Length; i++) Assert.InRange(Math.Abs(row[i] - rounded.Values[i] * rounded.Scales[0]), 0, rounded.Scales[0] * 0.5001f);
        Assert.All(rounded.Values[row.Length..], value => Assert.Equal(0, value));
    }, iter: 200, threads: 1);

    [Fact]
    public void File_TellsWhatItIs()
    {
        using var model = Random(Small, 1);
        using var exported = ExportedModel.Of(model, new OnnxExportOptions { Precision = OnnxPrecision.Int8, WeightBits = 7 });
        using var session = Attune.Onnx.OnnxSession.Open(exported.File, 1);
        Assert.Equal("Attune", session.ModelMetadata.ProducerName);
        Assert.Equal(("int8", "7"), (session.ModelMetadata.CustomMetadataMap["precision"], session.ModelMetadata.CustomMetadataMap["weight_bits"]));
        Assert.Equal(["input_ids", "attention_mask", "token_type_ids"], session.InputNames);
        Assert.All(session.InputMetadata.Values, input => Assert.Equal(["batch_size", "sequence_length"], input.SymbolicDimensions));
        Assert.Equal(["logits"], session.OutputNames);
        Assert.Equal([-1, 3], session.OutputMetadata["logits"].Dimensions);
    }

    internal static BertConfig Small { get; } = new()
    {
        VocabSize = 60,
        HiddenSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 64,
        MaxPositionEmbeddings = 40,
        LabelNames = ["a", "b", "c"],
        InitializerRange = 0.2,
    };

    /// <summary>A model of which no weight is 0 or 1, so that each of them counts.</summary>
    internal static BertForSequenceClassification Random(BertConfig config, int seed)
    {
        var model = BertForSequenceClassification.FromConfig(config, (ulong)seed);
        var random = new Random(seed);
        foreach (var weight in model.Weights.All.Where(weight => !weight.Decays))
            foreach (ref var value in weight.Span) value += (random.NextSingle() - 0.5f) * 0.4f;
        return model;
    }

    internal static TokenizedRow[] Rows(int seed, int count, int vocabulary, int longest, int types)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var length = random.Next(1, longest + 1);
            return new TokenizedRow([.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary))], [.. Enumerable.Range(0, length).Select(_ => random.Next(types))]);
        })];
    }

    private static float[] Logits(ExportedModel exported, TokenizedRow[] rows)
    {
        using var engine = exported.Engine();
        var logits = new float[rows.Length * exported.Config.NumLabels];
        engine.Logits(rows, logits);
        return logits;
    }

    private string Optimized(SequenceClassificationModel model, OnnxPrecision precision)
    {
        using var exported = ExportedModel.Of(model, new OnnxExportOptions { Precision = precision });
        var file = Path.Combine(_folder.Path, $"{precision}.onnx");
        using var options = new SessionOptions
        {
            OptimizedModelFilePath = file,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        using var session = new InferenceSession(exported.File, options);
        return Encoding.Latin1.GetString(File.ReadAllBytes(file));
    }

    /// <summary>How many operations have this name: field 4 of NodeProto, its length, the name.</summary>
    private static int Count(string model, string op) => model.Split($"\x22{(char)op.Length}{op}").Length - 1;

    /// <summary>A loaded model that nobody else owns, as an engine.</summary>
    internal sealed class ModelEngine(SequenceClassificationModel model) : ClassifierEngine
    {
        public override PreTrainedConfig Config => model.Config;

        public override string TokenizerFolder => throw new NotSupportedException();

        public override void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
        {
            using var output = model.Forward(Batch.Pack(rows));
            output.Logits.CopyTo(logits);
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
