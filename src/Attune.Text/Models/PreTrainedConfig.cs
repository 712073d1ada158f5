using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Formats;

namespace Attune.Models;

/// <summary>
/// The configuration of an encoder: the <c>config.json</c> of its folder, with what all families share. Fields that Attune does not use are kept.
/// <see cref="ModelTypes"/> lists the families.
/// </summary>
public abstract partial record PreTrainedConfig
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "config.json";

    private protected PreTrainedConfig()
    {
    }

    /// <summary>The family, by its name in <c>model_type</c>, such as <c>bert</c>.</summary>
    public abstract string ModelType { get; }

    /// <summary>Number of tokens in the vocabulary. Default 30522, or what the family has.</summary>
    public int VocabSize { get; init; } = 30522;

    /// <summary>Size of the hidden states. Default 768.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Number of layers. Default 12, or what the family has.</summary>
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

    /// <summary>Rows of the table of positions. Default 512.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Number of segments. Default 2.</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Standard deviation of new weights. Default 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Added to the variance in LayerNorm. Default 1e-12.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Id whose embedding gets no gradient. Default 0, or what the family has; null for none.</summary>
    public int? PadTokenId { get; init; } = 0;

    /// <summary>Names of the classes in the order of their ids. Default <c>LABEL_0</c>, <c>LABEL_1</c>.</summary>
    public IReadOnlyList<string> LabelNames { get; init; } = ["LABEL_0", "LABEL_1"];

    /// <summary>What is learned; null until the first labels decide it, as in transformers.</summary>
    public ProblemType? ProblemType { get; init; }

    /// <summary>Number of classes, or of numbers in a regression.</summary>
    public int NumLabels => LabelNames.Count;

    /// <summary>Longest row in tokens.</summary>
    public virtual int MaxTokens => MaxPositionEmbeddings;

    /// <summary>The object that the configuration was read from; never changed.</summary>
    internal JsonObject Source { get; private init; } = [];

    /// <summary>Weights of the matrices of all layers.</summary>
    internal virtual long LayerWeights => (long)NumHiddenLayers * HiddenSize * (4L * HiddenSize + 2L * IntermediateSize);

    /// <summary>Dropout behind the embeddings.</summary>
    internal virtual double EmbeddingDropoutProb => HiddenDropoutProb;

    /// <summary>How the classifier is put together, where it computes as BERT's does; else null.</summary>
    internal virtual EncoderForm? Form => null;

    /// <summary>What the names of the encoder's weights begin with in a classifier, with its dot.</summary>
    internal virtual string EncoderPrefix => Form!.Prefix;

    /// <summary>Name of the linear layer whose outputs are the logits.</summary>
    internal virtual string ClassifierName => Form?.Head.Classifier ?? "classifier";

    /// <summary>The linear layers that have an adapter where nothing else is said: those of queries and values, as PEFT has them.</summary>
    internal virtual IReadOnlyList<string> AdapterTargets => ["query", "value"];

    /// <summary>Standard deviation of a new weight.</summary>
    internal virtual double DeviationOf(string weight) => InitializerRange;

    internal double DropoutBeforeClassifier => ClassifierDropout ?? HiddenDropoutProb;

    /// <summary>Reads a <c>config.json</c> of any family.</summary>
    /// <param name="file">The file, for messages too.</param>
    /// <exception cref="AttuneException">It is missing or unreadable, is not JSON, names another architecture, or a value makes no sense.</exception>
    public static PreTrainedConfig Load(string file)
    {
        if (!Path.Exists(file)) throw new AttuneException($"{file} does not exist: a model folder needs its {FileName}.");
        return PythonJson.ReadFile(file) is JsonObject json ? Of(json, file)
            : throw new AttuneException($"{file} is not a JSON object; take the {FileName} of the model that the weights belong to.");
    }

    /// <summary>The same of an object that is at hand.</summary>
    /// <param name="json">The object.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="AttuneException">It names another architecture, or a value makes no sense.</exception>
    internal static PreTrainedConfig Of(JsonObject json, string source)
    {
        var reader = new ConfigReader(json, source);
        return ModelTypes.New(reader).Read(reader) with { Source = json };
    }

    /// <summary>Loss for labels: what the configuration says, else what transformers infers from them.</summary>
    internal ProblemType ProblemTypeFor(Labels labels) => ProblemType ?? labels switch
    {
        RegressionTargets => Models.ProblemType.Regression,
        _ when NumLabels == 1 => Models.ProblemType.Regression,
        ClassLabels => Models.ProblemType.SingleLabelClassification,
        _ => Models.ProblemType.MultiLabelClassification,
    };
}
