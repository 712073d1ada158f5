using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, E size of the tables' rows, H hidden size, C classes.

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
        var state = Embeddings(ids);                                                                                   // (B,S,H)
        var addend = attention.Mask(mask);
        for (var i = 0; i < _config.NumHiddenLayers; i++)
            state = Layer(attention, $"encoder/layer.{i}", _form.Prefix + _form.LayerName(i), state, addend, isLast: i == _config.NumHiddenLayers - 1);
        var first = _builder.FirstTokens("pooler", state);                                                             // (B,H)
        var pooled = _builder.Activation("pooler", _builder.Head("pooler/dense", first, _form.Head.Dense, _config.HiddenSize, _config.HiddenSize), _form.Head.Activation);
        var logits = _builder.Head("classifier", pooled, _form.Head.Classifier, _config.HiddenSize, _config.NumLabels);   // (B,C)
        _builder.Cast("logits", logits, OnnxType.Float);
        _graph.Outputs.Add(new OnnxValue("logits", OnnxType.Float, ["batch_size", (long)_config.NumLabels]));
        return _graph;
    }

    /// <summary>LayerNorm(word + token type + position); where E is not H, a linear layer follows.</summary>
    private string Embeddings(string ids)
    {
        var part = _form.Prefix + "embeddings.";
        var size = _form.Embeddings.Size ?? _config.HiddenSize;
        var words = _builder.Embedding("embeddings/word", ids, part + "word_embeddings.weight", _config.VocabSize, size);
        var kinds = _form.Embeddings.HasTypes ? _builder.Embedding("embeddings/type", Types(), part + "token_type_embeddings.weight", _config.TypeVocabSize, size) : null;
        var places = _builder.Embedding("embeddings/position", Positions(ids), part + "position_embeddings.weight", _config.MaxPositionEmbeddings, size);
        var sum = kinds is null ? words : _graph.Add("embeddings/AddType", "Add", [words, kinds]);
        var state = _builder.LayerNorm("embeddings", _graph.Add("embeddings/Add", "Add", [sum, places]), part + "LayerNorm", size, _config.LayerNormEps);
        return _form.Embeddings.Projection is { } projection ? _builder.Linear("embeddings/projection", state, projection, size, _config.HiddenSize) : state;
    }

    /// <summary>The segments: an input, but for a model that has one only, which programs do not give.</summary>
    private string Types() => _config.TypeVocabSize > 1 ? _graph.Input("token_type_ids", "batch_size", "sequence_length") : _graph.Numbers(0);

    /// <summary>The position of each token, (B,S).</summary>
    private string Positions(string ids)
    {
        const string scope = "embeddings/position/";
        if (!_form.Embeddings.CountsFromPadding)
        {
            // The columns. Counted up from ones, so that a runtime knows that the shape is that of the ids.
            var ones = _graph.Add(scope + "Ones", "Cast", [_graph.Add(scope + "Equal", "Equal", [ids, ids])], ("to", (long)OnnxType.Int64));
            var counted = _graph.Add(scope + "CumSum", "CumSum", [ones, _graph.Number(1, OnnxType.Int64)]);
            return _graph.Add(scope + "Sub", "Sub", [counted, _graph.Number(1, OnnxType.Int64)]);
        }
        var padding = _graph.Number(_config.PadTokenId ?? 0, OnnxType.Int64);
        var isText = _graph.Add(scope + "Not", "Not", [_graph.Add(scope + "Equal", "Equal", [ids, padding])]);
        var texts = _graph.Add(scope + "Ones", "Cast", [isText], ("to", (long)OnnxType.Int64));
        var numbers = _graph.Add(scope + "Texts", "Mul", [_graph.Add(scope + "CumSum", "CumSum", [texts, _graph.Number(1, OnnxType.Int64)]), texts]);
        return _graph.Add(scope + "Add", "Add", [numbers, padding]);
    }

    /// <summary>Self-attention and feed-forward. Of the last layer only each row's first token is wanted, which is all that the head reads.</summary>
    private string Layer(SelfAttention attention, string scope, string name, string x, string mask, bool isLast)
    {
        var (form, hidden, inner) = (_form.Layer, _config.HiddenSize, _config.IntermediateSize);
        var asking = isLast ? _builder.FirstTokens(scope, x, keepsDimension: true) : x;
        var mixed = attention.Build(scope + "/attention", asking, x, mask, ($"{name}.{form.Query}", $"{name}.{form.Key}", $"{name}.{form.Value}"));
        var projected = _builder.Linear(scope + "/attention/output", mixed, $"{name}.{form.AttentionOutput}", hidden, hidden);
        var middle = Residual(scope + "/attention/output", projected, asking, form.AttentionNorm);
        var wide = _builder.Linear(scope + "/intermediate", middle, $"{name}.{form.Intermediate}", hidden, inner);
        var active = _builder.Activation(scope + "/activation", wide, _config.HiddenAct);
        return Residual(scope + "/output", _builder.Linear(scope + "/output", active, $"{name}.{form.Output}", inner, hidden), middle, form.OutputNorm);

        string Residual(string part, string change, string state, string norm) =>
            _builder.LayerNorm(part, _graph.Add(part + "/Residual", "Add", [change, state]), $"{name}.{norm}", hidden, _config.LayerNormEps);
    }
}
