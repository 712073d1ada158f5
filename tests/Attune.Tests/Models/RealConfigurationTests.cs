using System.Text.Json.Nodes;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>The configurations of models as they lie on the hub, with the number of weights that transformers counts.</summary>
[Collection("torch")]
public sealed class RealConfigurationTests
{
    /// <summary>DeBERTa-v3's says its kinds of attention in one text with a bar, and leaves the labels to transformers.</summary>
    private const string DebertaV3Base = """
        {"model_type": "deberta-v2", "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
        "initializer_range": 0.02, "intermediate_size": 3072, "max_position_embeddings": 512, "relative_attention": true, "position_buckets": 256,
        "norm_rel_ebd": "layer_norm", "share_att_key": true, "pos_att_type": "p2c|c2p", "layer_norm_eps": 1e-7, "max_relative_positions": -1,
        "position_biased_input": false, "num_attention_heads": 12, "num_hidden_layers": 12, "type_vocab_size": 0, "vocab_size": 128100}
        """;

    /// <summary>The second version has a convolution and says its kinds with blanks.</summary>
    private const string DebertaV2Xlarge = """
        {"model_type": "deberta-v2", "hidden_size": 1536, "intermediate_size": 6144, "max_position_embeddings": 512, "num_attention_heads": 24, "attention_head_size": 64,
        "num_hidden_layers": 24, "type_vocab_size": 0, "vocab_size": 128100, "relative_attention": true, "position_buckets": 256, "norm_rel_ebd": "layer_norm",
        "share_att_key": true, "pos_att_type": "c2p | p2c", "conv_kernel_size": 3, "conv_act": "gelu", "layer_norm_eps": 1e-7, "max_relative_positions": -1,
        "position_biased_input": false, "pooler_dropout": 0, "pooler_hidden_act": "gelu"}
        """;

    private const string ModernBertBase = """
        {"model_type": "modernbert", "architectures": ["ModernBertForMaskedLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 50281,
        "classifier_activation": "gelu", "classifier_bias": false, "classifier_dropout": 0.0, "classifier_pooling": "mean", "cls_token_id": 50281, "decoder_bias": true,
        "deterministic_flash_attn": false, "embedding_dropout": 0.0, "eos_token_id": 50282, "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
        "gradient_checkpointing": false, "hidden_activation": "gelu", "hidden_size": 768, "initializer_cutoff_factor": 2.0, "initializer_range": 0.02,
        "intermediate_size": 1152, "layer_norm_eps": 1e-05, "local_attention": 128, "local_rope_theta": 10000.0, "max_position_embeddings": 8192, "mlp_bias": false,
        "mlp_dropout": 0.0, "norm_bias": false, "norm_eps": 1e-05, "num_attention_heads": 12, "num_hidden_layers": 22, "pad_token_id": 50283,
        "position_embedding_type": "absolute", "sep_token_id": 50282, "tie_word_embeddings": true, "torch_dtype": "float32", "transformers_version": "4.47.0.dev0", "vocab_size": 50368}
        """;

    private const string MPNetBase = """
        {"model_type": "mpnet", "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
        "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 514, "num_attention_heads": 12, "num_hidden_layers": 12,
        "pad_token_id": 1, "relative_attention_num_buckets": 32, "vocab_size": 30527}
        """;

    /// <summary>Memory of weights that nobody writes to is only reserved.</summary>
    [Theory]
    [InlineData(DebertaV3Base, 184_423_682L)]
    [InlineData(ModernBertBase, 149_606_402L)]
    [InlineData(MPNetBase, 109_488_002L)]
    public void ParameterCount_OfTheRealModel_IsTheNumberOfTransformers(string json, long expected)
    {
        using var model = AutoModelForSequenceClassification.Create(Read(json));
        Assert.Equal(expected, model.ParameterCount);
    }

    /// <summary>Two layers of 24 are enough memory: each of the others has 28,331,520 weights more.</summary>
    [Fact]
    public void ParameterCount_OfDebertaV2Xlarge_IsTheNumberOfTransformers()
    {
        using var model = AutoModelForSequenceClassification.Create(Read(DebertaV2Xlarge) with { NumHiddenLayers = 2 });
        Assert.Equal(886_957_058L, model.ParameterCount + 22 * 28_331_520L);
    }

    [Fact]
    public void DebertaV3Base_SaysItsAttentionInOneText()
    {
        var config = Assert.IsType<DebertaV2Config>(Read(DebertaV3Base));
        Assert.Equal(["p2c", "c2p"], config.PosAttType);
        Assert.Equal((512, 2, 512), (config.RelativePositions, config.ExtraTerms, config.MaxTokens));
        Assert.Equal("p2c|c2p", Written(DebertaV3Base)["pos_att_type"]!.GetValue<string>());
        Assert.Equal(["c2p", "p2c"], Assert.IsType<DebertaV2Config>(Read(DebertaV2Xlarge)).PosAttType);
    }

    /// <summary>What later versions of transformers write in place of the two bases and the number of layers.</summary>
    [Fact]
    public void ModernBert_LaterSpelling_MeansTheSame()
    {
        var json = JsonNode.Parse(ModernBertBase)!.AsObject();
        foreach (var name in (string[])["global_attn_every_n_layers", "global_rope_theta", "local_rope_theta"]) json.Remove(name);
        json["num_hidden_layers"] = 3;
        json["layer_types"] = new JsonArray("sliding_attention", "full_attention", "sliding_attention");
        json["rope_parameters"] = JsonNode.Parse("""{"full_attention": {"rope_theta": 5000.0, "rope_type": "default"}, "sliding_attention": {"rope_theta": 300.0, "rope_type": "default"}}""");
        var config = Assert.IsType<ModernBertConfig>(Read(json.ToJsonString()));
        Assert.Equal([false, true, false], Enumerable.Range(0, 3).Select(config.IsGlobal));
        Assert.Equal((5000.0, 300.0), (config.GlobalRopeTheta, config.LocalRopeTheta!.Value));
        Assert.False(Written(json.ToJsonString()).ContainsKey("global_rope_theta"));
        // A smaller model made of it says the kinds of its own layers, or nobody could load it.
        var smaller = Assert.IsType<ModernBertConfig>(Read((config with { NumHiddenLayers = 2 }).ToJson("X").ToJsonString()));
        Assert.Equal(2, smaller.NumHiddenLayers);
        Assert.Equal([false, true], Enumerable.Range(0, 2).Select(smaller.IsGlobal));
    }

    [Theory]
    [InlineData(DebertaV3Base, "pos_att_type", "\"p2p\"")]
    [InlineData(DebertaV3Base, "pos_att_type", "[1]")]
    [InlineData(DebertaV3Base, "conv_kernel_size", "4")]
    [InlineData(DebertaV3Base, "conv_groups", "2")]
    [InlineData(DebertaV3Base, "attention_head_size", "32")]
    [InlineData(DebertaV3Base, "share_att_key", "\"yes\"")]
    [InlineData(ModernBertBase, "classifier_pooling", "\"max\"")]
    [InlineData(ModernBertBase, "layer_types", "[\"full_attention\"]")]
    [InlineData(ModernBertBase, "num_attention_heads", "256")]
    [InlineData(MPNetBase, "relative_attention_num_buckets", "16")]
    [InlineData(MPNetBase, "max_position_embeddings", "2")]
    [InlineData(MPNetBase, "pad_token_id", "null")]
    public void Read_ValueThatMakesNoSense_NamesIt(string from, string name, string value)
    {
        var json = JsonNode.Parse(from)!.AsObject();
        json[name] = JsonNode.Parse(value);
        var error = Assert.Throws<AttuneException>(() => Read(json.ToJsonString()));
        Assert.Contains(name, error.Message);
    }

    private static PreTrainedConfig Read(string json)
    {
        var reader = new ConfigReader(JsonNode.Parse(json)!.AsObject(), "config.json");
        return ModelTypes.New(reader).Read(reader);
    }

    /// <summary>What a model that was read from such a file writes.</summary>
    private static JsonObject Written(string json)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, json);
            return PreTrainedConfig.Load(file).ToJson("X");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
