using System.Text.Json.Nodes;

namespace Attune.Models;

// config.json, both ways. A family that has more fields than these adds them in its own Read and Write.
public abstract partial record PreTrainedConfig
{
    /// <summary>The name that a field of BERT's has in this family; null where the family has no such field.</summary>
    /// <param name="field">Its name in BERT's config.json.</param>
    private protected virtual string? JsonName(string field) => field;

    /// <summary>Itself with what a file says; a field that is not there keeps its value.</summary>
    /// <exception cref="AttuneException">A value makes no sense.</exception>
    internal virtual PreTrainedConfig Read(ConfigReader json)
    {
        var positions = json.Text("position_embedding_type", "absolute");
        if (positions != "absolute") throw json.Wrong("position_embedding_type", "absolute");
        var config = this with
        {
            VocabSize = json.Size(JsonName("vocab_size"), VocabSize),
            HiddenSize = json.Size(JsonName("hidden_size"), HiddenSize),
            NumHiddenLayers = json.Size(JsonName("num_hidden_layers"), NumHiddenLayers),
            NumAttentionHeads = json.Size(JsonName("num_attention_heads"), NumAttentionHeads),
            IntermediateSize = json.Size(JsonName("intermediate_size"), IntermediateSize),
            HiddenAct = json.Text(JsonName("hidden_act"), HiddenAct),
            HiddenDropoutProb = json.Number(JsonName("hidden_dropout_prob"), 0, 1) ?? HiddenDropoutProb,
            AttentionProbsDropoutProb = json.Number(JsonName("attention_probs_dropout_prob"), 0, 1) ?? AttentionProbsDropoutProb,
            ClassifierDropout = json.Number(JsonName("classifier_dropout"), 0, 1) ?? ClassifierDropout,
            MaxPositionEmbeddings = json.Size(JsonName("max_position_embeddings"), MaxPositionEmbeddings),
            TypeVocabSize = json.Size(JsonName("type_vocab_size"), TypeVocabSize),
            InitializerRange = json.Number(JsonName("initializer_range"), 0, 1e3) ?? InitializerRange,
            LayerNormEps = json.Number(JsonName("layer_norm_eps"), 0, 1) ?? LayerNormEps,
            PadTokenId = json.Has("pad_token_id") ? (int?)json.Number("pad_token_id", 0, int.MaxValue) : PadTokenId,
            LabelNames = json.Labels(),
            ProblemType = json.Problem(),
        };
        if (config.HiddenSize % config.NumAttentionHeads != 0)
            throw json.Unfit($"{JsonName("hidden_size")} {config.HiddenSize} is not a multiple of {JsonName("num_attention_heads")} {config.NumAttentionHeads}");
        return config;
    }

    /// <summary>The fields of the file it was read from, with the present values.</summary>
    internal JsonObject ToJson(string architecture)
    {
        var json = (JsonObject)Source.DeepClone();
        json["architectures"] = new JsonArray(architecture);
        json["model_type"] = ModelType;
        Write(json);
        if (ProblemType is { } problem) json["problem_type"] = ConfigReader.Name(problem);
        else json.Remove("problem_type");
        WriteLabels(json);
        json["dtype"] = "float32";
        json.Remove("torch_dtype");
        json["transformers_version"] ??= "4.57.1";
        return json;
    }

    /// <summary>Puts the present values into the object that becomes the file.</summary>
    private protected virtual void Write(JsonObject json)
    {
        Put(json, JsonName("vocab_size"), VocabSize);
        Put(json, JsonName("hidden_size"), HiddenSize);
        Put(json, JsonName("num_hidden_layers"), NumHiddenLayers);
        Put(json, JsonName("num_attention_heads"), NumAttentionHeads);
        Put(json, JsonName("intermediate_size"), IntermediateSize);
        Put(json, JsonName("hidden_act"), HiddenAct);
        Put(json, JsonName("hidden_dropout_prob"), HiddenDropoutProb);
        Put(json, JsonName("attention_probs_dropout_prob"), AttentionProbsDropoutProb);
        Put(json, JsonName("classifier_dropout"), ClassifierDropout);
        Put(json, JsonName("max_position_embeddings"), MaxPositionEmbeddings);
        Put(json, JsonName("type_vocab_size"), TypeVocabSize);
        Put(json, JsonName("initializer_range"), InitializerRange);
        Put(json, JsonName("layer_norm_eps"), LayerNormEps);
        Put(json, "pad_token_id", PadTokenId);
    }

    /// <summary>Sets a field, where the family has it. A number that the file has in another spelling, 0 for 0.0, stays as it is there.</summary>
    private protected static void Put(JsonObject json, string? name, JsonNode? value)
    {
        if (name is null || json[name] is JsonValue old && value is JsonValue now && Number(old) is { } number && number == Number(now)) return;
        json[name] = value;
    }

    private static double? Number(JsonValue value) => value.TryGetValue<double>(out var number) ? number : value.TryGetValue<int>(out var whole) ? whole : null;

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
