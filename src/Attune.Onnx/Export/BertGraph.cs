using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, N heads, H hidden size, C classes.

/// <summary>The classifier of a family that computes as BERT's does, as a graph: token ids to logits.</summary>
internal sealed class BertGraph
{
    private readonly PreTrainedConfig _config;
    private readonly EncoderForm _form;
    private readonly GraphBuilder _builder;
    private readonly OnnxGraph _graph;

    private BertGraph(PreTrainedConfig config, EncoderForm form, GraphBuilder builder) => (_config, _form, _builder, _graph) = (config, form, builder, builder.Graph);

    /// <exception cref="AttuneException">A weight is missing or of another shape.</exception>
    internal static OnnxGraph Build(PreTrainedConfig config, EncoderForm form, GraphBuilder builder) => new BertGraph(config, form, builder).Build();

    private OnnxGraph Build()
    {
        var ids = _graph.Input("input_ids", "batch_size", "sequence_length");
        var mask = _graph.Input("attention_mask", "batch_size", "sequence_length");
        var attention = new SelfAttention(_builder, _config.NumAttentionHeads, _config.HiddenSize);
        var state = new EmbeddingsGraph(_builder, _config, _form.Embeddings, _form.Prefix).Build(ids, mask);           // (B,S,H)
        var (addend, bias) = (attention.Mask(mask), Bias(ids));
        for (var i = 0; i < _config.NumHiddenLayers; i++)
            state = Layer(attention, $"encoder/layer.{i}", _form.Prefix + _form.LayerName(i), state, addend, bias, isLast: i == _config.NumHiddenLayers - 1);
        var first = _builder.FirstTokens("pooler", state);                                                             // (B,H)
        var pooled = _builder.Activation("pooler", _builder.Head("pooler/dense", first, _form.Head.Dense, _config.HiddenSize, _config.HiddenSize), _form.Head.Activation);
        var logits = _builder.Head("classifier", pooled, _form.Head.Classifier, _config.HiddenSize, _config.NumLabels);   // (B,C)
        _builder.Cast("logits", logits, OnnxType.Float);
        _graph.Outputs.Add(new OnnxValue("logits", OnnxType.Float, ["batch_size", (long)_config.NumLabels]));
        return _graph;
    }

    /// <summary>What the distances of tokens add to the scores of each head, (1,N,S,S); null for nothing.</summary>
    private string? Bias(string ids)
    {
        if (_form.RelativeBias is not { } relative) return null;
        var buckets = new TokenDistances(_graph, ids).Buckets(_config.MaxTokens, RelativeBuckets.MPNet);
        var table = _builder.Weight($"{_form.Prefix}{relative.Name}.weight", relative.Buckets, _config.NumAttentionHeads);
        var ofHeads = _graph.Add("bias/Transpose", "Transpose", [_graph.Add("bias/Gather", "Gather", [table, buckets])], ("perm", new long[] { 2, 0, 1 }));
        return _graph.Add("bias/Unsqueeze", "Unsqueeze", [ofHeads], ("axes", new long[] { 0 }));
    }

    /// <summary>Self-attention and feed-forward. Of the last layer only each row's first token is wanted, which is all that the head reads.</summary>
    private string Layer(SelfAttention attention, string scope, string name, string x, string mask, string? bias, bool isLast)
    {
        var (form, hidden, inner) = (_form.Layer, _config.HiddenSize, _config.IntermediateSize);
        var asking = isLast ? _builder.FirstTokens(scope, x, keepsDimension: true) : x;
        if (isLast && bias is not null) bias = _graph.Add(scope + "/bias", "Gather", [bias, _graph.Numbers(0)], ("axis", 2L));
        var mixed = attention.Build(scope + "/attention", asking, x, mask, ($"{name}.{form.Query}", $"{name}.{form.Key}", $"{name}.{form.Value}"), bias);
        var projected = _builder.Linear(scope + "/attention/output", mixed, $"{name}.{form.AttentionOutput}", hidden, hidden);
        var middle = Residual(scope + "/attention/output", projected, asking, form.AttentionNorm);
        var wide = _builder.Linear(scope + "/intermediate", middle, $"{name}.{form.Intermediate}", hidden, inner);
        var active = _builder.Activation(scope + "/activation", wide, _config.HiddenAct);
        return Residual(scope + "/output", _builder.Linear(scope + "/output", active, $"{name}.{form.Output}", inner, hidden), middle, form.OutputNorm);

        string Residual(string part, string change, string state, string norm) =>
            _builder.LayerNorm(part, _graph.Add(part + "/Residual", "Add", [change, state]), $"{name}.{norm}", hidden, _config.LayerNormEps);
    }
}
