using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of a ModernBERT encoder. Its dropouts are 0 where nothing else is said.</summary>
public sealed record ModernBertConfig : PreTrainedConfig
{
    private const string Everywhere = "full_attention", Nearby = "sliding_attention", FirstToken = "cls", Mean = "mean";

    /// <summary>The family's defaults, which are those of its base model.</summary>
    public ModernBertConfig()
    {
        (VocabSize, NumHiddenLayers, IntermediateSize, MaxPositionEmbeddings, LayerNormEps, PadTokenId) = (50368, 22, 1152, 8192, 1e-5, 50283);
        (HiddenDropoutProb, AttentionProbsDropoutProb, ClassifierDropout) = (0, 0, 0);
    }

    /// <inheritdoc/>
    public override string ModelType => "modernbert";

    /// <summary>Every so many layers one sees the whole row, beginning with the first; the others see a window. Default 3.</summary>
    public int GlobalAttnEveryNLayers { get; init; } = 3;

    /// <summary>Which layers see the whole row, one by one; null where <see cref="GlobalAttnEveryNLayers"/> says it.</summary>
    public IReadOnlyList<bool>? GlobalLayers { get; init; }

    /// <summary>Size of the window in tokens; half of it lies on each side. Default 128.</summary>
    public int LocalAttention { get; init; } = 128;

    /// <summary>Base of the rotary positions in layers that see the whole row. Default 160000.</summary>
    public double GlobalRopeTheta { get; init; } = 160000;

    /// <summary>The same in the others. Default 10000; null takes <see cref="GlobalRopeTheta"/>.</summary>
    public double? LocalRopeTheta { get; init; } = 10000;

    /// <summary>Whether the attention's linear layers have biases. Default false.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Whether the feed-forward's linear layers have biases. Default false.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Whether LayerNorms have biases. Default false.</summary>
    public bool NormBias { get; init; }

    /// <summary>Whether the head's dense layer has a bias. Default false.</summary>
    public bool ClassifierBias { get; init; }

    /// <summary>Activation of the head's dense layer. Default <c>gelu</c>.</summary>
    public string ClassifierActivation { get; init; } = "gelu";

    /// <summary>What the head reads: <c>cls</c>, the first token, or <c>mean</c>, the mean of all. Default <c>cls</c>.</summary>
    public string ClassifierPooling { get; init; } = FirstToken;

    /// <summary>Dropout behind the embeddings. Default 0.</summary>
    public double EmbeddingDropout { get; init; }

    internal const string Prefix = "model.";

    internal override string EncoderPrefix => Prefix;

    internal EmbeddingsForm Embeddings => new() { Words = "tok_embeddings", Norm = "norm", HasNormBias = NormBias, HasPositions = false, HasTypes = false };

    /// <summary>Whether the head reads the mean of all tokens, and not each row's first alone.</summary>
    internal bool ReadsMean => ClassifierPooling == Mean;

    internal override double EmbeddingDropoutProb => EmbeddingDropout;

    /// <summary>Queries, keys and values are one layer.</summary>
    internal override IReadOnlyList<string> AdapterTargets => ["Wqkv"];

    internal override long LayerWeights => (long)NumHiddenLayers * HiddenSize * (4L * HiddenSize + 3L * IntermediateSize);

    /// <summary>Whether a layer sees the whole row.</summary>
    internal bool IsGlobal(int layer) => GlobalLayers is { } layers ? layers[layer] : layer % GlobalAttnEveryNLayers == 0;

    /// <summary>How many columns away a layer sees to each side; null for the whole row.</summary>
    internal int? WindowOf(int layer) => IsGlobal(layer) ? null : LocalAttention / 2;

    /// <summary>Base of a layer's rotary positions.</summary>
    internal double ThetaOf(int layer) => IsGlobal(layer) ? GlobalRopeTheta : LocalRopeTheta ?? GlobalRopeTheta;

    /// <summary>What leads back into the residual is smaller, and the classifier is by its size.</summary>
    internal override double DeviationOf(string weight) => weight switch
    {
        "classifier.weight" => 1 / Math.Sqrt(HiddenSize),
        "head.dense.weight" => InitializerRange / Math.Sqrt(2.0 * NumHiddenLayers),
        _ when weight.EndsWith(".Wo.weight", StringComparison.Ordinal) => InitializerRange / Math.Sqrt(2.0 * NumHiddenLayers),
        _ => InitializerRange,
    };

    private protected override string? JsonName(string field) => field switch
    {
        "hidden_act" => "hidden_activation",
        "hidden_dropout_prob" => "mlp_dropout",
        "attention_probs_dropout_prob" => "attention_dropout",
        "layer_norm_eps" => "norm_eps",
        "type_vocab_size" => null,
        _ => field,
    };

    internal override PreTrainedConfig Read(ConfigReader json)
    {
        var config = (ModernBertConfig)base.Read(json);
        config = config with
        {
            GlobalAttnEveryNLayers = json.Size("global_attn_every_n_layers", GlobalAttnEveryNLayers),
            GlobalLayers = Layers(json, config.NumHiddenLayers),
            LocalAttention = json.Size("local_attention", LocalAttention),
            GlobalRopeTheta = json.Number("global_rope_theta", 1, 1e12) ?? Theta(json, Everywhere) ?? GlobalRopeTheta,
            LocalRopeTheta = json.Has("local_rope_theta") ? json.Number("local_rope_theta", 1, 1e12) : Theta(json, Nearby) ?? LocalRopeTheta,
            AttentionBias = json.Truth("attention_bias"),
            MlpBias = json.Truth("mlp_bias"),
            NormBias = json.Truth("norm_bias"),
            ClassifierBias = json.Truth("classifier_bias"),
            ClassifierActivation = json.Text("classifier_activation", ClassifierActivation),
            ClassifierPooling = json.Text("classifier_pooling", ClassifierPooling),
            EmbeddingDropout = json.Number("embedding_dropout", 0, 1) ?? EmbeddingDropout,
        };
        if (config.ClassifierPooling is not (FirstToken or Mean)) throw json.Wrong("classifier_pooling", $"{FirstToken} or {Mean}");
        if (config.HiddenSize / config.NumAttentionHeads % 2 != 0) throw json.Unfit("the heads' size, hidden_size divided by num_attention_heads, is odd, and cannot have rotary positions");
        return config;
    }

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        Put(json, "local_attention", LocalAttention);
        // Later versions of transformers say the same in other words.
        if (GlobalLayers is null) Put(json, "global_attn_every_n_layers", GlobalAttnEveryNLayers);
        else json["layer_types"] = new JsonArray([.. Enumerable.Range(0, NumHiddenLayers).Select(layer => JsonValue.Create(IsGlobal(layer) ? Everywhere : Nearby))]);
        if (!json.ContainsKey("rope_parameters"))
        {
            Put(json, "global_rope_theta", GlobalRopeTheta);
            Put(json, "local_rope_theta", LocalRopeTheta);
        }
        json["attention_bias"] = AttentionBias;
        json["mlp_bias"] = MlpBias;
        json["norm_bias"] = NormBias;
        json["classifier_bias"] = ClassifierBias;
        Put(json, "classifier_activation", ClassifierActivation);
        Put(json, "classifier_pooling", ClassifierPooling);
        Put(json, "embedding_dropout", EmbeddingDropout);
        json.TryAdd("bos_token_id", 50281);
        json.TryAdd("cls_token_id", 50281);
        json.TryAdd("eos_token_id", 50282);
        json.TryAdd("sep_token_id", 50282);
        json.TryAdd("decoder_bias", true);
        json.TryAdd("deterministic_flash_attn", false);
        json.TryAdd("initializer_cutoff_factor", 2.0);
        json.TryAdd("repad_logits_with_grad", false);
        json.TryAdd("sparse_pred_ignore_index", -100);
        json.TryAdd("sparse_prediction", false);
    }

    private static bool[]? Layers(ConfigReader json, int count)
    {
        var types = json.Words("layer_types");
        if (types.Count == 0) return null;
        return types.Count == count && types.All(type => type is Everywhere or Nearby)
            ? [.. types.Select(type => type == Everywhere)]
            : throw json.Wrong("layer_types", $"{Everywhere} or {Nearby} for each of the {count} layers");
    }

    private static double? Theta(ConfigReader json, string kind)
    {
        if (json.Part("rope_parameters")?.Part(kind) is not { } rope) return null;
        return rope.Text("rope_type", "default") == "default" ? rope.Number("rope_theta", 1, 1e12) : throw rope.Wrong("rope_type", "default");
    }
}
