using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, Q tokens that ask (S or 1), N heads, D size of a head, H hidden size, P relative positions, C classes.

/// <summary>The classifier of DeBERTa-v2 and v3 as a graph: attention with terms of relative positions, and perhaps a convolution beside the first layer.</summary>
internal sealed class DebertaV2Graph
{
    private const string Encoder = DebertaV2Config.Prefix + "encoder.";

    private readonly DebertaV2Config _config;
    private readonly GraphBuilder _builder;
    private readonly OnnxGraph _graph;
    private readonly SelfAttention _attention;
    private string _visible = "", _positions = "", _buckets = "";

    private DebertaV2Graph(DebertaV2Config config, GraphBuilder builder) =>
        (_config, _builder, _graph, _attention) = (config, builder, builder.Graph, new SelfAttention(builder, config.NumAttentionHeads, config.HiddenSize));

    private bool HasKeysOfPositions => _config.RelativeAttention && _config.HasKeysOfPositions;

    private bool HasQueriesOfPositions => _config.RelativeAttention && _config.HasQueriesOfPositions;

    /// <exception cref="AttuneException">A weight is missing or of another shape.</exception>
    internal static OnnxGraph Build(DebertaV2Config config, GraphBuilder builder) => new DebertaV2Graph(config, builder).Build();

    private OnnxGraph Build()
    {
        var ids = _graph.Input("input_ids", "batch_size", "sequence_length");
        var mask = _graph.Input("attention_mask", "batch_size", "sequence_length");
        var state = new EmbeddingsGraph(_builder, _config, _config.Embeddings, DebertaV2Config.Prefix).Build(ids, mask);           // (B,S,H)
        _visible = Visible(mask);
        if (HasKeysOfPositions || HasQueriesOfPositions)
        {
            _positions = Positions();
            var buckets = new TokenDistances(_graph, ids).Buckets(_config.MaxTokens, distance => RelativeBuckets.DebertaV2(distance, _config.PositionBuckets, _config.MostDistance));
            _buckets = _graph.Add("distances/Heads", "Unsqueeze", [buckets], ("axes", new long[] { 0, 1 }));           // (1,1,S,S)
        }
        for (var i = 0; i < _config.NumHiddenLayers; i++)
        {
            var (isLast, isConvolved) = (i == _config.NumHiddenLayers - 1, i == 0 && _config.ConvKernelSize > 0);
            var next = Layer(i, state, asksFirst: isLast && !isConvolved);
            state = isConvolved ? Convolved(next, state, mask) : next;
        }
        var first = _builder.FirstTokens("pooler", state);                                                             // (B,H)
        var pooled = _builder.Activation("pooler", _builder.Head("pooler/dense", first, "pooler.dense", _config.HiddenSize, _config.HiddenSize), _config.PoolerHiddenAct);
        _builder.Cast("logits", _builder.Head("classifier", pooled, _config.ClassifierName, _config.HiddenSize, _config.NumLabels), OnnxType.Float);           // (B,C)
        _graph.Outputs.Add(new OnnxValue("logits", OnnxType.Float, ["batch_size", (long)_config.NumLabels]));
        return _graph;
    }

    /// <summary>Which token sees which: both must be real. What sees nothing takes the mean of all values of its row.</summary>
    /// <returns>(B,1,S,S).</returns>
    private string Visible(string mask)
    {
        var keys = _graph.Add("mask/Keys", "Unsqueeze", [mask], ("axes", new long[] { 1, 2 }));
        var queries = _graph.Add("mask/Queries", "Unsqueeze", [mask], ("axes", new long[] { 1, 3 }));
        return _builder.Cast("mask/Visible", _graph.Add("mask/Both", "Mul", [queries, keys]), OnnxType.Bool);
    }

    /// <summary>The embeddings of relative positions, (P,H).</summary>
    private string Positions()
    {
        var table = _builder.Weight(Encoder + "rel_embeddings.weight", _config.RelativePositions, _config.HiddenSize);
        return _config.NormalisesPositions ? _builder.LayerNorm("positions", table, Encoder + "LayerNorm", _config.HiddenSize, _config.LayerNormEps) : table;
    }

    private string Layer(int number, string x, bool asksFirst)
    {
        var (scope, name, form) = ($"encoder/layer.{number}", $"{Encoder}layer.{number}.", DebertaV2Config.Layer);
        var (hidden, inner) = (_config.HiddenSize, _config.IntermediateSize);
        var asking = asksFirst ? _builder.FirstTokens(scope, x, keepsDimension: true) : x;
        var projected = _builder.Linear(scope + "/attention/output", Attention(scope + "/attention", name, asking, x, asksFirst), name + form.AttentionOutput, hidden, hidden);
        var middle = Residual(scope + "/attention/output", projected, asking, form.AttentionNorm);
        var wide = _builder.Linear(scope + "/intermediate", middle, name + form.Intermediate, hidden, inner);
        var active = _builder.Activation(scope + "/activation", wide, _config.HiddenAct);
        return Residual(scope + "/output", _builder.Linear(scope + "/output", active, name + form.Output, inner, hidden), middle, form.OutputNorm);

        string Residual(string part, string change, string state, string norm) =>
            _builder.LayerNorm(part, _graph.Add(part + "/Residual", "Add", [change, state]), name + norm, hidden, _config.LayerNormEps);
    }

    /// <summary>score(i,j) = (q(i) k(j) + q(i) k'(p) + q'(p) k(j)) scale, with p the bucket of the distance from j to i (He et al., 2021, equation 4).</summary>
    private string Attention(string scope, string name, string asking, string x, bool asksFirst)
    {
        var form = DebertaV2Config.Layer;
        var query = _attention.Heads(scope + "/query", Linear(scope + "/query", asking, form.Query), 0, 2, 1, 3);      // (B,N,Q,D)
        var key = _attention.Heads(scope + "/key", Linear(scope + "/key", x, form.Key), 0, 2, 3, 1);                   // (B,N,D,S)
        var value = _attention.Heads(scope + "/value", Linear(scope + "/value", x, form.Value), 0, 2, 1, 3);           // (B,N,S,D)
        var scores = _graph.Add(scope + "/Scores", "MatMul", [query, key]);
        var (visible, sum) = (OfAsking("visible", _visible), scores);
        if (HasKeysOfPositions || HasQueriesOfPositions)
        {
            var buckets = _graph.Add(scope + "/Buckets", "Expand", [OfAsking("buckets", _buckets), _graph.Add(scope + "/Shape", "Shape", [scores])]);           // (B,N,Q,S)
            if (HasKeysOfPositions)
            {
                var keys = OfPositions("keys", _config.ShareAttKey ? form.Key : "attention.self.pos_key_proj", 1, 2, 0);               // (N,D,P)
                sum = Added("keys", sum, _graph.Add(scope + "/keys/Scores", "MatMul", [query, keys]), buckets, 3);
            }
            if (HasQueriesOfPositions)
            {
                var queries = OfPositions("queries", _config.ShareAttKey ? form.Query : "attention.self.pos_query_proj", 1, 0, 2);     // (N,P,D)
                sum = Added("queries", sum, _graph.Add(scope + "/queries/Scores", "MatMul", [queries, key]), buckets, 2);
            }
        }
        var scaled = _attention.Scaled(scope, sum, 1 + _config.ExtraTerms);
        return _attention.Mix(scope, _attention.Seen(scope, scaled, visible), value);

        string Linear(string part, string input, string layer) => _builder.Linear(part, input, name + layer, _config.HiddenSize, _config.HiddenSize);

        string OfAsking(string what, string square) => asksFirst ? _graph.Add($"{scope}/{what}", "Gather", [square, _graph.Numbers(0)], ("axis", 2L)) : square;

        string OfPositions(string what, string layer, params long[] order)
        {
            var part = $"{scope}/{what}";
            var (heads, size) = (_config.NumAttentionHeads, _config.HiddenSize / _config.NumAttentionHeads);
            var split = _graph.Add(part + "/Reshape", "Reshape", [_builder.LinearOfConstant(part, _positions, name + layer, _config.HiddenSize, _config.HiddenSize), _graph.Numbers(0, heads, size)]);
            return _graph.Add(part + "/Transpose", "Transpose", [split], ("perm", order));
        }

        string Added(string what, string sum, string all, string buckets, long axis) =>
            _graph.Add($"{scope}/{what}/Sum", "Add", [sum, _graph.Add($"{scope}/{what}/Gather", "GatherElements", [all, buckets], ("axis", axis))]);
    }

    /// <summary>LayerNorm(layer(x) + f(convolution(x))), zero where the mask hides.</summary>
    private string Convolved(string layer, string x, string mask)
    {
        const string scope = "encoder/conv";
        var (hidden, size) = (_config.HiddenSize, _config.ConvKernelSize);
        var turned = _graph.Add(scope + "/Turn", "Transpose", [x], ("perm", new long[] { 0, 2, 1 }));                  // (B,H,S)
        var sum = _graph.Add(scope + "/Conv", "Conv", [turned, _builder.Weight(Encoder + "conv.conv.weight", hidden, hidden, size), _builder.Weight(Encoder + "conv.conv.bias", hidden)],
            ("kernel_shape", new long[] { size }), ("pads", new long[] { size / 2, size / 2 }));
        var back = _graph.Add(scope + "/Back", "Transpose", [sum], ("perm", new long[] { 0, 2, 1 }));                  // (B,S,H)
        var active = _builder.Activation(scope, _builder.ClearHidden(scope + "/sum", back, mask), _config.ConvAct);
        var normed = _builder.LayerNorm(scope, _graph.Add(scope + "/Residual", "Add", [active, layer]), Encoder + "conv.LayerNorm", hidden, _config.LayerNormEps);
        return _builder.ClearHidden(scope, normed, mask);
    }
}
