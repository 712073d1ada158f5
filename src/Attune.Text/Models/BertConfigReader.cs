using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Models;

/// <summary>Reads the fields of a config.json, each checked, so that a wrong value is named and not met as a crash later.</summary>
internal sealed class BertConfigReader(JsonObject json, string file)
{
    private static readonly Dictionary<string, ProblemType> ProblemTypes = new()
    {
        ["single_label_classification"] = ProblemType.SingleLabelClassification,
        ["multi_label_classification"] = ProblemType.MultiLabelClassification,
        ["regression"] = ProblemType.Regression,
    };

    internal static string Name(ProblemType problem) => ProblemTypes.First(pair => pair.Value == problem).Key;

    internal BertConfig Read()
    {
        var kind = Text("model_type", "bert");
        if (kind != "bert") throw new AttuneException($"{file} describes a model of type \"{kind}\"; Attune has bert.");
        var positions = Text("position_embedding_type", "absolute");
        if (positions != "absolute") throw new AttuneException($"{file}: position_embedding_type is \"{positions}\"; Attune has absolute.");
        var defaults = new BertConfig();
        var config = new BertConfig
        {
            Source = json,
            VocabSize = Size("vocab_size", defaults.VocabSize),
            HiddenSize = Size("hidden_size", defaults.HiddenSize),
            NumHiddenLayers = Size("num_hidden_layers", defaults.NumHiddenLayers),
            NumAttentionHeads = Size("num_attention_heads", defaults.NumAttentionHeads),
            IntermediateSize = Size("intermediate_size", defaults.IntermediateSize),
            HiddenAct = Text("hidden_act", defaults.HiddenAct),
            HiddenDropoutProb = Number("hidden_dropout_prob", 0, 1) ?? defaults.HiddenDropoutProb,
            AttentionProbsDropoutProb = Number("attention_probs_dropout_prob", 0, 1) ?? defaults.AttentionProbsDropoutProb,
            ClassifierDropout = Number("classifier_dropout", 0, 1),
            MaxPositionEmbeddings = Size("max_position_embeddings", defaults.MaxPositionEmbeddings),
            TypeVocabSize = Size("type_vocab_size", defaults.TypeVocabSize),
            InitializerRange = Number("initializer_range", 0, 1e3) ?? defaults.InitializerRange,
            LayerNormEps = Number("layer_norm_eps", 0, 1) ?? defaults.LayerNormEps,
            PadTokenId = json.ContainsKey("pad_token_id") ? (int?)Number("pad_token_id", 0, int.MaxValue) : defaults.PadTokenId,
            LabelNames = Labels(),
            ProblemType = Problem(),
        };
        if (config.HiddenSize % config.NumAttentionHeads != 0)
            throw new AttuneException($"{file}: hidden_size {config.HiddenSize} is not a multiple of num_attention_heads {config.NumAttentionHeads}.");
        return config;
    }

    private string Text(string key, string otherwise) => json[key] switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => throw Wrong(key, other, "a text"),
    };

    private int Size(string key, int otherwise) => json[key] switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<int>(out var size) && size > 0 => size,
        var other => throw Wrong(key, other, "a whole number above 0"),
    };

    private double? Number(string key, double least, double most) => json[key] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<double>(out var number) && number >= least && number <= most => number,
        var other => throw Wrong(key, other, $"a number from {least} to {most}"),
    };

    private ProblemType? Problem()
    {
        if (json["problem_type"] is null) return null;
        return ProblemTypes.TryGetValue(Text("problem_type", ""), out var problem)
            ? problem
            : throw Wrong("problem_type", json["problem_type"]!, string.Join(", ", ProblemTypes.Keys));
    }

    private string[] Labels()
    {
        if (json["id2label"] is JsonObject names)
        {
            var labels = new string[names.Count];
            foreach (var (key, value) in names)
            {
                if (!int.TryParse(key, out var id) || id < 0 || id >= labels.Length || labels[id] is not null)
                    throw Wrong("id2label", names, "a name for each id from 0");
                labels[id] = value?.ToString() ?? throw Wrong("id2label", names, "a name for each id from 0");
            }
            return labels.Length > 0 ? labels : throw Wrong("id2label", names, "a name for each id from 0");
        }
        return [.. Enumerable.Range(0, Size("num_labels", 2)).Select(id => $"LABEL_{id}")];
    }

    private AttuneException Wrong(string key, JsonNode value, string expected) =>
        new($"{file}: {key} is {PythonJson.Write(value)}; expected {expected}.");
}
