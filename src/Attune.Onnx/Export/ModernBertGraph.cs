using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, Q tokens that ask (S or 1), N heads, D size of a head, H hidden size, I intermediate size, C classes.

/// <summary>ModernBERT's classifier as a graph: rotary positions, a window in most layers, LayerNorm before each part, a gated feed-forward.</summary>
internal sealed class ModernBertGraph
{
    private readonly ModernBertConfig _config;
    private readonly GraphBuilder _builder;
    private readonly OnnxGraph _graph;
    private readonly SelfAttention _attention;
    private readonly Dictionary<double, (string Cosine, string Sine)> _turns = [];

    private ModernBertGraph(ModernBertConfig config, GraphBuilder builder) =>
        (_config, _builder, _graph, _attention) = (config, builder, builder.Graph, new SelfAttention(builder, config.NumAttentionHeads, config.HiddenSize));

    /// <exception cref="AttuneException">A weight is missing or of another shape.</exception>
    internal static OnnxGraph Build(ModernBertConfig config, GraphBuilder builder) => new ModernBertGraph(config, builder).Build();

    private OnnxGraph Build()
    {
        var ids = _graph.Input("input_ids", "batch_size", "sequence_length");
        var mask = _graph.Input("attention_mask", "batch_size", "sequence_length");
        var distances = new TokenDistances(_graph, ids);
        var state = Wide("embeddings", new EmbeddingsGraph(_builder, _config, _config.Embeddings, ModernBertConfig.Prefix).Build(ids, mask));           // (B,S,H)
        var everywhere = _builder.Cast("mask/Visible", _graph.Add("mask/Keys", "Unsqueeze", [mask], ("axes", new long[] { 1, 2 })), OnnxType.Bool);           // (B,1,1,S)
        var nearby = _graph.Add("window/And", "And", [distances.Within(_config.LocalAttention / 2), everywhere]);      // (B,1,S,S)
        for (var i = 0; i < _config.NumHiddenLayers; i++)
            state = Layer(i, state, distances, _config.IsGlobal(i) ? everywhere : nearby, asksFirst: i == _config.NumHiddenLayers - 1 && !_config.ReadsMean);
        state = Norm("final_norm", state, ModernBertConfig.Prefix + "final_norm");
        var read = _config.ReadsMean ? Mean(state, mask) : _builder.FirstTokens("head", state);                        // (B,H)
        var dense = _builder.Head("head/dense", read, "head.dense", _config.HiddenSize, _config.HiddenSize, _config.ClassifierBias);
        var pooled = Norm("head/norm", _builder.Activation("head", dense, _config.ClassifierActivation), "head.norm");
        _builder.Cast("logits", _builder.Head("classifier", pooled, _config.ClassifierName, _config.HiddenSize, _config.NumLabels), OnnxType.Float);           // (B,C)
        _graph.Outputs.Add(new OnnxValue("logits", OnnxType.Float, ["batch_size", (long)_config.NumLabels]));
        return _graph;
    }

    /// <summary>
    /// Attention and feed-forward, each added to what it read: in float32 in every precision, for no norm stands between these sums and they grow from layer to layer.
    /// Of the last layer only each row's first token is wanted where the head reads no other.
    /// </summary>
    private string Layer(int number, string x, TokenDistances distances, string visible, bool asksFirst)
    {
        var (scope, name) = ($"encoder/layer.{number}", $"{ModernBertConfig.Prefix}layers.{number}");
        var (hidden, inner, hasBias) = (_config.HiddenSize, _config.IntermediateSize, _config.MlpBias);
        var attended = Attention(scope + "/attention", name + ".attn", number == 0 ? Narrow(scope + "/attention", x) : Norm(scope + "/attention", x, name + ".attn_norm"), distances, number, visible, asksFirst);
        var middle = _graph.Add(scope + "/attention/Residual", "Add", [Wide(scope + "/attention/output", attended), asksFirst ? _builder.FirstTokens(scope, x, keepsDimension: true) : x]);
        var wide = _builder.Linear(scope + "/intermediate", Norm(scope + "/output", middle, name + ".mlp_norm"), name + ".mlp.Wi", hidden, 2L * inner, hasBias);
        var parts = _graph.Add(scope + "/intermediate/Split", "Split", [wide], [scope + "/intermediate/value", scope + "/intermediate/gate"], ("axis", 2L));           // (B,Q,I)
        var gated = _graph.Add(scope + "/gate/Mul", "Mul", [_builder.Activation(scope + "/activation", parts[0], _config.HiddenAct), parts[1]]);
        return _graph.Add(scope + "/output/Residual", "Add", [Wide(scope + "/output", _builder.Linear(scope + "/output", gated, name + ".mlp.Wo", inner, hidden, hasBias)), middle]);
    }

    private string Attention(string scope, string name, string x, TokenDistances distances, int number, string visible, bool asksFirst)
    {
        var hidden = _config.HiddenSize;
        var projected = _builder.Linear(scope + "/projections", x, name + ".Wqkv", hidden, 3L * hidden, _config.AttentionBias);
        var parts = _graph.Add(scope + "/Split", "Split", [projected], [scope + "/queries", scope + "/keys", scope + "/values"], ("axis", 2L));           // (B,S,H)
        // The first column is turned by no angle.
        var query = asksFirst ? _attention.Heads(scope + "/query", _builder.FirstTokens(scope + "/query", parts[0], keepsDimension: true), 0, 2, 1, 3)
            : Turned(scope + "/query", parts[0], distances, number);                                                   // (B,N,Q,D)
        var key = _graph.Add(scope + "/key/Turn", "Transpose", [Turned(scope + "/key", parts[1], distances, number)], ("perm", new long[] { 0, 1, 3, 2 }));           // (B,N,D,S)
        var value = _attention.Heads(scope + "/value", parts[2], 0, 2, 1, 3);                                          // (B,N,S,D)
        if (asksFirst && !_config.IsGlobal(number)) visible = _graph.Add(scope + "/first", "Gather", [visible, _graph.Numbers(0)], ("axis", 2L));
        var scores = _attention.Scaled(scope, _graph.Add(scope + "/Scores", "MatMul", [query, key]));
        var mixed = _attention.Mix(scope, _attention.Seen(scope, scores, visible), value);
        return _builder.Linear(scope + "/output", mixed, name + ".Wo", hidden, hidden, _config.AttentionBias);
    }

    /// <summary>The heads of queries or keys, turned by their columns: the elements d and d + D/2 together, by the angle column theta^(-2d/D).</summary>
    private string Turned(string scope, string states, TokenDistances distances, int number)
    {
        var (cosine, sine) = Turns(_config.ThetaOf(number), distances);
        var halves = _graph.Add(scope + "/Halves", "Split", [_attention.Heads(scope, states, 0, 2, 1, 3)], [scope + "/first", scope + "/second"], ("axis", 3L));
        var first = _graph.Add(scope + "/Sub", "Sub", [Times("first/Cos", halves[0], cosine), Times("second/Sin", halves[1], sine)]);
        var second = _graph.Add(scope + "/Sum", "Add", [Times("second/Cos", halves[1], cosine), Times("first/Sin", halves[0], sine)]);
        return _graph.Add(scope + "/Concat", "Concat", [first, second], ("axis", 3L));

        string Times(string what, string half, string by) => _graph.Add($"{scope}/{what}", "Mul", [half, by]);
    }

    /// <summary>Cosine and sine of each column's angles, (S,D/2). They are computed in float32, as transformers does.</summary>
    private (string Cosine, string Sine) Turns(double theta, TokenDistances distances)
    {
        if (_turns.TryGetValue(theta, out var known)) return known;
        var (scope, size) = ($"rotary_{_turns.Count}", _config.HiddenSize / _config.NumAttentionHeads);
        var frequencies = _builder.Singles(scope + "/frequencies", [.. Enumerable.Range(0, size / 2).Select(d => 1 / (float)Math.Pow(theta, 2f * d / size))]);
        var columns = _graph.Add(scope + "/Columns", "Unsqueeze", [_builder.Cast(scope + "/Cast", distances.Columns, OnnxType.Float)], ("axes", new long[] { 1 }));
        var angles = _graph.Add(scope + "/Angles", "Mul", [columns, frequencies]);
        return _turns[theta] = (Of("Cos"), Of("Sin"));

        string Of(string function)
        {
            var values = _graph.Add($"{scope}/{function}", function, [angles]);
            return Narrow($"{scope}/{function}", values);
        }
    }

    private string Wide(string scope, string x) => _builder.Type == OnnxType.Float ? x : _builder.Cast(scope + "/Wide", x, OnnxType.Float);

    private string Narrow(string scope, string x) => _builder.Type == OnnxType.Float ? x : _builder.Cast(scope + "/Narrow", x, _builder.Type);

    private string Norm(string scope, string x, string layer) => _builder.LayerNorm(scope, x, layer, _config.HiddenSize, _config.LayerNormEps, _config.NormBias);

    /// <summary>The mean of each row's real tokens, summed up in float32.</summary>
    private string Mean(string states, string mask)
    {
        var column = _builder.Column(mask, OnnxType.Float);
        var sum = Sum("mean/Sum", _graph.Add("mean/Clear", "Mul", [Wide("mean", states), column]));                    // (B,H)
        return Narrow("mean", _graph.Add("mean/Div", "Div", [sum, Sum("mean/Count", column)]));

        string Sum(string name, string of) => _graph.Add(name, "ReduceSum", [of], ("axes", new long[] { 1 }), ("keepdims", 0L));
    }
}
