using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, H hidden size, C classes.

/// <summary>BertForSequenceClassification as a graph: token ids to logits.</summary>
internal static class BertGraph
{
    /// <summary>What the names of the encoder's weights begin with.</summary>
    internal const string Prefix = "bert.";

    /// <exception cref="AttuneException">A weight is missing or of another shape.</exception>
    internal static OnnxGraph Build(PreTrainedConfig config, GraphBuilder builder)
    {
        var graph = builder.Graph;
        var ids = graph.Input("input_ids", "batch_size", "sequence_length");
        var mask = graph.Input("attention_mask", "batch_size", "sequence_length");
        var types = graph.Input("token_type_ids", "batch_size", "sequence_length");
        var attention = new SelfAttention(builder, config.NumAttentionHeads, config.HiddenSize);
        var state = Embeddings(config, builder, ids, types);                                                           // (B,S,H)
        var addend = attention.Mask(mask);
        for (var i = 0; i < config.NumHiddenLayers; i++)
            state = Layer(config, builder, attention, $"encoder/layer.{i}", $"{Prefix}encoder.layer.{i}", state, addend, isLast: i == config.NumHiddenLayers - 1);
        var first = builder.FirstTokens("pooler", state);                                                              // (B,H)
        var pooled = graph.Add("pooler/Tanh", "Tanh", [builder.Head("pooler/dense", first, Prefix + "pooler.dense", config.HiddenSize, config.HiddenSize)]);
        var logits = builder.Head("classifier", pooled, "classifier", config.HiddenSize, config.NumLabels);            // (B,C)
        builder.Cast("logits", logits, OnnxType.Float);
        graph.Outputs.Add(new OnnxValue("logits", OnnxType.Float, ["batch_size", (long)config.NumLabels]));
        return graph;
    }

    /// <summary>LayerNorm(word + token type + position).</summary>
    private static string Embeddings(PreTrainedConfig config, GraphBuilder builder, string ids, string types)
    {
        const string part = Prefix + "embeddings.";
        var graph = builder.Graph;
        var words = builder.Embedding("embeddings/word", ids, part + "word_embeddings.weight", config.VocabSize, config.HiddenSize);
        var kinds = builder.Embedding("embeddings/type", types, part + "token_type_embeddings.weight", config.TypeVocabSize, config.HiddenSize);
        var places = builder.Embedding("embeddings/position", Positions(graph, ids), part + "position_embeddings.weight", config.MaxPositionEmbeddings, config.HiddenSize);
        var sum = graph.Add("embeddings/Add", "Add", [graph.Add("embeddings/AddType", "Add", [words, kinds]), places]);
        return builder.LayerNorm("embeddings", sum, part + "LayerNorm", config.HiddenSize, config.LayerNormEps);
    }

    /// <summary>The column of each token, (B,S). Counted up from ones, so that a runtime knows that the shape is that of the ids.</summary>
    private static string Positions(OnnxGraph graph, string ids)
    {
        var ones = graph.Add("embeddings/position/Ones", "Cast", [graph.Add("embeddings/position/Equal", "Equal", [ids, ids])], ("to", (long)OnnxType.Int64));
        var counted = graph.Add("embeddings/position/CumSum", "CumSum", [ones, graph.Number(1, OnnxType.Int64)]);
        return graph.Add("embeddings/position/Sub", "Sub", [counted, graph.Number(1, OnnxType.Int64)]);
    }

    /// <summary>Self-attention and feed-forward. Of the last layer only each row's first token is wanted, which is all that the pooler reads.</summary>
    private static string Layer(
        PreTrainedConfig config, GraphBuilder builder, SelfAttention attention, string scope, string name, string x, string mask, bool isLast)
    {
        var (graph, hidden, inner) = (builder.Graph, config.HiddenSize, config.IntermediateSize);
        var asking = isLast ? builder.FirstTokens(scope, x, keepsDimension: true) : x;
        var mixed = attention.Build(scope + "/attention", asking, x, mask, name + ".attention.self");
        var projected = builder.Linear(scope + "/attention/output", mixed, name + ".attention.output.dense", hidden, hidden);
        var middle = Residual(scope + "/attention/output", projected, asking, name + ".attention.output.LayerNorm");
        var wide = builder.Linear(scope + "/intermediate", middle, name + ".intermediate.dense", hidden, inner);
        var active = builder.Activation(scope + "/activation", wide, config.HiddenAct);
        return Residual(scope + "/output", builder.Linear(scope + "/output", active, name + ".output.dense", inner, hidden), middle, name + ".output.LayerNorm");

        string Residual(string part, string change, string state, string layer) =>
            builder.LayerNorm(part, graph.Add(part + "/Residual", "Add", [change, state]), layer, hidden, config.LayerNormEps);
    }
}
