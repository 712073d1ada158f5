using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of a DistilBERT encoder.</summary>
public sealed record DistilBertConfig : PreTrainedConfig
{
    /// <summary>The family's defaults: 6 layers, dropout of 0.2 before the classifier.</summary>
    public DistilBertConfig() => (NumHiddenLayers, ClassifierDropout) = (6, 0.2);

    /// <inheritdoc/>
    public override string ModelType => "distilbert";

    internal const string Prefix = "distilbert.";

    internal override EncoderForm Form => new()
    {
        Prefix = Prefix,
        Embeddings = new() { HasTypes = false },
        LayerName = layer => $"transformer.layer.{layer}",
        Layer = new()
        {
            Query = "attention.q_lin",
            Key = "attention.k_lin",
            Value = "attention.v_lin",
            AttentionOutput = "attention.out_lin",
            AttentionNorm = "sa_layer_norm",
            Intermediate = "ffn.lin1",
            Output = "ffn.lin2",
            OutputNorm = "output_layer_norm",
            DropsAttentionOutput = false,
        },
        Head = new("pre_classifier", "relu", "classifier"),
    };

    internal override IReadOnlyList<string> AdapterTargets => ["q_lin", "v_lin"];

    private protected override string? JsonName(string field) => field switch
    {
        "hidden_size" => "dim",
        "num_hidden_layers" => "n_layers",
        "num_attention_heads" => "n_heads",
        "intermediate_size" => "hidden_dim",
        "hidden_act" => "activation",
        "hidden_dropout_prob" => "dropout",
        "attention_probs_dropout_prob" => "attention_dropout",
        "classifier_dropout" => "seq_classif_dropout",
        "type_vocab_size" or "layer_norm_eps" => null,
        _ => field,
    };

    internal override PreTrainedConfig Read(ConfigReader json) =>
        json.Truth("sinusoidal_pos_embds") ? throw json.Wrong("sinusoidal_pos_embds", "false: Attune has positions that are learned") : base.Read(json);

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        json.TryAdd("qa_dropout", 0.1);
        json.TryAdd("sinusoidal_pos_embds", false);
    }
}
