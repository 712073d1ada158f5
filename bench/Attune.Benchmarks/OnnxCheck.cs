using System.Diagnostics;
using Attune.Batching;
using Attune.Cli;
using Attune.Datasets;
using Attune.Inference;
using Attune.Models;
using Attune.Onnx;
using Attune.Onnx.Export;
using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>Exported models against the model itself: the same logits, and whole numbers that are faster and answer as well.</summary>
internal sealed class OnnxCheck : Check
{
    private const int RowsCompared = 1000, RowsTimed = 64, Rounds = 5, BatchSize = 32, Threads = 2, Longest = 512;

    internal override string Name => "onnx";

    internal override string Summary => "exported models: largest difference of a logit on 1,000 rows, speed of int8 against float32 with BERT-base on two cores, accuracy of int8";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-onnx-").FullName;
        try
        {
            foreach (var part in Logits(folder).Concat(Speed(folder)).Concat(Accuracy(folder))) yield return part;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Rows from one sentence to as many as the model takes, on a model of BERT-small's shape.</summary>
    private IEnumerable<CheckPart> Logits(string folder)
    {
        const int kinds = 6;                                               // 1, 2, 4, ... 32 sentences a row
        var rows = Sst2Rows.Take(RowsCompared);
        Facts["rows"] = rows.Source;
        TokenizedRow[] joined = [.. Enumerable.Range(0, RowsCompared).Select(row => new TokenizedRow(
            [.. Enumerable.Range(row, 1 << row % kinds).SelectMany(number => rows.Rows[number % RowsCompared]).Take(Longest)]))];
        using var model = BertForSequenceClassification.FromConfig(new BertConfig
        {
            HiddenSize = 512,
            NumHiddenLayers = 4,
            NumAttentionHeads = 8,
            IntermediateSize = 2048,
            InitializerRange = 0.04,
        });
        using var exported = Export(model, folder, OnnxPrecision.Fp32);
        var check = ExportCheck.Compare(new ModelEngine(model), exported, joined);
        yield return new("largest difference of a logit", check.LargestDifference, ExportCheck.Tolerance, "", LowerIsBetter: true,
            Note: $"{check.Rows} rows of {joined.Min(row => row.Length)} to {joined.Max(row => row.Length)} tokens");
    }

    /// <summary>Both precisions, and Attune's own engine, in turns; medians of what they take for the same rows.</summary>
    private IEnumerable<CheckPart> Speed(string folder)
    {
        TokenizedRow[] rows = [.. Sst2Rows.Take(RowsTimed).Rows.Select(row => new TokenizedRow(row)).OrderBy(row => row.Length)];
        using var model = BertForSequenceClassification.FromConfig(new BertConfig());
        Native.LibTorch.Threads = Threads;
        using OnnxEngine exact = Export(model, folder, OnnxPrecision.Fp32), whole = Export(model, folder, OnnxPrecision.Int8);
        (string Name, ClassifierEngine Engine)[] engines = [("fp32", exact), ("int8", whole), ("attune", new ModelEngine(model))];
        var seconds = engines.ToDictionary(side => side.Name, _ => new List<double>());
        for (var round = -1; round < Rounds; round++)
            foreach (var (name, engine) in engines)
            {
                var clock = Stopwatch.StartNew();
                foreach (var batch in rows.Chunk(BatchSize)) engine.Logits(batch, new float[batch.Length * model.Config.NumLabels]);
                if (round >= 0) seconds[name].Add(clock.Elapsed.TotalSeconds);                 // the round before the first warms up
            }
        var median = seconds.ToDictionary(side => side.Key, side => Statistics.Median(side.Value));
        Facts["rows_per_second"] = median.ToDictionary(side => side.Key, side => RowsTimed / side.Value);
        Facts["attune_against_onnx_fp32"] = median["fp32"] / median["attune"];
        Facts["weight_bits"] = WeightBits.OfThisProcessor;
        yield return new("int8 against float32", median["fp32"] / median["int8"], 1.3, "times as fast",
            Note: $"{RowsTimed / median["fp32"]:F1}, {RowsTimed / median["int8"]:F1} rows/s, Attune's own engine {RowsTimed / median["attune"]:F1}; medians of {Rounds} rounds");
    }

    /// <summary>A model that is really trained: the embedded encoder on the embedded reviews.</summary>
    private static IEnumerable<CheckPart> Accuracy(string folder)
    {
        var run = Path.Combine(folder, "run");
        var terminal = new Terminal(() => TextReader.Null, TextWriter.Null, Console.Error, isLive: false, () => 120);
        if (Cli.CommandLine.Run(["train", "--output-dir", run, "--quiet", "--save-strategy", "no", "--report-to", "none"], terminal) != ExitCode.Success)
            throw new AttuneException("the model for the check could not be trained; see above.");
        var splits = EmbeddedDatasets.Load(EmbeddedDatasets.Reviews, "sentiment");
        string[] held = [DatasetDict.Validation, DatasetDict.Test];
        string[] texts = [.. held.SelectMany(split => splits[split].Column<string>("text"))];
        long[] labels = [.. held.SelectMany(split => splits[split].Column<long?>("label").Select(label => label!.Value))];
        var config = BertConfig.Load(Path.Combine(run, BertConfig.FileName));
        var rows = EncodedTexts.Encode(texts, null, Tokenizer.FromPretrained(run), config.MaxPositionEmbeddings).Dataset.Rows;
        double exact = Of(OnnxPrecision.Fp32), whole = Of(OnnxPrecision.Int8);
        yield return new("accuracy of int8", whole, exact - 0.01, "", Note: $"float32 {exact:F4}, {texts.Length} rows");

        double Of(OnnxPrecision precision)
        {
            var file = Path.Combine(folder, $"trained-{precision}.onnx");
            OnnxExport.Write(run, file, new OnnxExportOptions { Precision = precision });
            using var engine = OnnxEngine.Open(file, config, run, Threads);
            var right = 0;
            foreach (var batch in Enumerable.Range(0, rows.Count).OrderBy(row => rows[row].Length).Chunk(BatchSize))
            {
                var logits = new float[batch.Length * config.NumLabels];
                engine.Logits([.. batch.Select(row => rows[row])], logits);
                right += batch.Index().Count(row => logits[2 * row.Index + 1] > logits[2 * row.Index] == (labels[row.Item] == 1));
            }
            return (double)right / rows.Count;
        }
    }

    private static OnnxEngine Export(BertForSequenceClassification model, string folder, OnnxPrecision precision)
    {
        var file = Path.Combine(folder, $"{model.Config.NumHiddenLayers}-{precision}.onnx");
        using var weights = new ModelWeights(model, "the model");
        using (var draft = OnnxDraft.Write(model.Config, weights, file, new OnnxExportOptions { Precision = precision })) draft.Publish();
        return OnnxEngine.Open(file, model.Config, folder, Threads);
    }

    private sealed class ModelEngine(BertForSequenceClassification model) : ClassifierEngine
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
