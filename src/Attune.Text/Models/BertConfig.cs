using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Formats;

namespace Attune.Models;

/// <summary>What a classifier learns; decides the loss. The names are those of <c>problem_type</c> in config.json.</summary>
public enum ProblemType
{
    /// <summary><c>single_label_classification</c>: one class a row, cross-entropy.</summary>
    SingleLabelClassification,

    /// <summary><c>multi_label_classification</c>: any number of classes a row, binary cross-entropy.</summary>
    MultiLabelClassification,

    /// <summary><c>regression</c>: numbers, mean squared error.</summary>
    Regression,
}

/// <summary>The configuration of a BERT encoder: the <c>config.json</c> of its folder. Fields that Attune does not use are kept.</summary>
public sealed record BertConfig
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "config.json";

    /// <summary>Number of word pieces. Default 30522.</summary>
    public int VocabSize { get; init; } = 30522;

    /// <summary>Size of the hidden states. Default 768.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Number of layers. Default 12.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Attention heads of a layer; divides <see cref="HiddenSize"/>. Default 12.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Size of the feed-forward layer. Default 3072.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Name of the activation function. Default <c>gelu</c>.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Dropout of embeddings and of both residual branches. Default 0.1.</summary>
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of the attention probabilities. Default 0.1.</summary>
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout before the classifier; null takes <see cref="HiddenDropoutProb"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Longest row in tokens. Default 512.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Number of segments. Default 2.</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Standard deviation of new weights. Default 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Added to the variance in LayerNorm. Default 1e-12.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Id whose embedding gets no gradient. Default 0; null for none.</summary>
    public int? PadTokenId { get; init; } = 0;

    /// <summary>Names of the classes in the order of their ids. Default <c>LABEL_0</c>, <c>LABEL_1</c>.</summary>
    public IReadOnlyList<string> LabelNames { get; init; } = ["LABEL_0", "LABEL_1"];

    /// <summary>What is learned; null until the first labels decide it, as in transformers.</summary>
    public ProblemType? ProblemType { get; init; }

    /// <summary>Number of classes, or of numbers in a regression.</summary>
    public int NumLabels => LabelNames.Count;

    /// <summary>The object that the configuration was read from; never changed.</summary>
    internal JsonObject Source { get; init; } = [];

    /// <summary>Weights of the matrices of all layers.</summary>
    internal long LayerWeights => (long)NumHiddenLayers * HiddenSize * (4L * HiddenSize + 2L * IntermediateSize);

    internal double DropoutBeforeClassifier => ClassifierDropout ?? HiddenDropoutProb;

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <param name="file">The file, for messages too.</param>
    /// <exception cref="AttuneException">It is missing or unreadable, is not JSON, names another architecture, or a value makes no sense.</exception>
    public static BertConfig Load(string file)
    {
        if (!Path.Exists(file)) throw new AttuneException($"{file} does not exist: a model folder needs its {FileName}.");
        return PythonJson.ReadFile(file) is JsonObject json
            ? new BertConfigReader(json, file).Read()
            : throw new AttuneException($"{file} is not a JSON object; take the {FileName} of the model that the weights belong to.");
    }

    /// <summary>Loss for labels: what the configuration says, else what transformers infers from them.</summary>
    internal ProblemType ProblemTypeFor(Labels labels) => ProblemType ?? labels switch
    {
        RegressionTargets => Models.ProblemType.Regression,
        _ when NumLabels == 1 => Models.ProblemType.Regression,
        ClassLabels => Models.ProblemType.SingleLabelClassification,
        _ => Models.ProblemType.MultiLabelClassification,
    };

    /// <summary>The fields of the file it was read from, with the present values.</summary>
    internal JsonObject ToJson(string architecture)
    {
        var json = (JsonObject)Source.DeepClone();
        json["architectures"] = new JsonArray(architecture);
        json["model_type"] = "bert";
        json["vocab_size"] = VocabSize;
        json["hidden_size"] = HiddenSize;
        json["num_hidden_layers"] = NumHiddenLayers;
        json["num_attention_heads"] = NumAttentionHeads;
        json["intermediate_size"] = IntermediateSize;
        json["hidden_act"] = HiddenAct;
        json["hidden_dropout_prob"] = HiddenDropoutProb;
        json["attention_probs_dropout_prob"] = AttentionProbsDropoutProb;
        json["classifier_dropout"] = ClassifierDropout;
        json["max_position_embeddings"] = MaxPositionEmbeddings;
        json["type_vocab_size"] = TypeVocabSize;
        json["initializer_range"] = InitializerRange;
        json["layer_norm_eps"] = LayerNormEps;
        json["pad_token_id"] = PadTokenId;
        if (ProblemType is { } problem) json["problem_type"] = BertConfigReader.Name(problem);
        else json.Remove("problem_type");
        WriteLabels(json);
        json["dtype"] = "float32";
        json.Remove("torch_dtype");
        json["transformers_version"] ??= "4.57.1";
        if (!json.ContainsKey("position_embedding_type")) json["position_embedding_type"] = "absolute";
        if (!json.ContainsKey("use_cache")) json["use_cache"] = true;
        return json;
    }

    private void WriteLabels(JsonObject json)
    {
        json.Remove("num_labels");
        json.Remove("id2label");
        json.Remove("label2id");
        // transformers leaves the names out where they are its own two.
        if (LabelNames.SequenceEqual(["LABEL_0", "LABEL_1"])) return;
        var (names, ids) = (new JsonObject(), new JsonObject());
        for (var id = 0; id < LabelNames.Count; id++)
        {
            names[$"{id}"] = LabelNames[id];
            ids[LabelNames[id]] = id;
        }
        json["id2label"] = names;
        json["label2id"] = ids;
    }
}
