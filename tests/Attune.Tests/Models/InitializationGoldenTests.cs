using System.Text.Json;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>Freshly drawn weights have the distributions of transformers' (golden folder init).</summary>
[Collection("torch")]
public class InitializationGoldenTests
{
    // Standard errors that the statistics of one draw may be off: five are met once in two million draws.
    private const double Errors = 5;

    [Fact]
    public void Weights_OfANewModel_AreDistributedAsTransformers()
    {
        var folder = Golden.Require("init");
        foreach (var file in Golden.Files(folder, ".json"))
        {
            var golden = Golden.Json(folder, file);
            var config = golden.GetProperty("config");
            int Size(string name) => config.GetProperty(name).GetInt32();
            using var model = BertForSequenceClassification.FromConfig(new BertConfig
            {
                VocabSize = Size("vocab_size"),
                HiddenSize = Size("hidden_size"),
                NumHiddenLayers = Size("num_hidden_layers"),
                NumAttentionHeads = Size("num_attention_heads"),
                IntermediateSize = Size("intermediate_size"),
                MaxPositionEmbeddings = Size("max_position_embeddings"),
                TypeVocabSize = Size("type_vocab_size"),
                LabelNames = [.. Enumerable.Range(0, Size("num_labels")).Select(i => $"LABEL_{i}")],
                InitializerRange = config.GetProperty("initializer_range").GetDouble(),
                PadTokenId = Size("pad_token_id"),
            });
            var parameters = golden.GetProperty("parameters").EnumerateArray().ToDictionary(parameter => parameter.GetProperty("name").GetString()!);
            Assert.Equal(parameters.Keys.Order(StringComparer.Ordinal), model.Weights.All.Select(weight => weight.Name).Order(StringComparer.Ordinal));
            foreach (var weight in model.Weights.All) Check(parameters[weight.Name], weight);
        }
    }

    private static void Check(JsonElement golden, Weight weight)
    {
        Assert.Equal(golden.GetProperty("shape").Deserialize<long[]>(), weight.Shape);
        switch (golden.GetProperty("distribution").GetString())
        {
            case "zeros": Assert.All(weight.Span.ToArray(), value => Assert.Equal(0, value)); break;
            case "ones": Assert.All(weight.Span.ToArray(), value => Assert.Equal(1, value)); break;
            case "normal": CheckNormal(golden, weight); break;
            case var other: Assert.Fail($"{weight.Name}: unknown distribution {other}"); break;
        }
    }

    private static void CheckNormal(JsonElement golden, Weight weight)
    {
        var zero = golden.GetProperty("zero_rows").Deserialize<int[]>()!;
        var width = (int)weight.Shape[^1];
        var rows = weight.Span.ToArray().Chunk(width).ToList();
        Assert.All(zero, row => Assert.All(rows[row], value => Assert.Equal(0, value)));
        double[] values = [.. rows.Where((_, row) => !zero.Contains(row)).SelectMany(row => row).Select(value => (double)value)];
        double count = values.Length, std = golden.GetProperty("std").GetDouble(), mean = golden.GetProperty("mean").GetDouble();
        double Moment(int power) => values.Sum(value => Math.Pow((value - mean) / std, power)) / count;
        Near(0, Moment(1), 1 / Math.Sqrt(count), "mean");
        Near(1, Moment(2), Math.Sqrt(2 / count), "variance");
        Near(0, Moment(3), Math.Sqrt(15 / count), "third moment");
        Near(3, Moment(4), Math.Sqrt(96 / count), "fourth moment");             // a normal cut at two deviations has less than 2

        void Near(double expected, double actual, double error, string what) => Assert.True(
            Math.Abs(actual - expected) <= Errors * error, $"{weight.Name}: {what} {actual}, not {expected} to {Errors} errors of {error}");
    }
}
