namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, Q tokens that ask (S or 1), N heads, D size of a head, H = N D.

/// <summary>Attention of several heads, up to the projection of its output: the same in most encoders.</summary>
internal sealed class SelfAttention(GraphBuilder builder, int heads, int hidden)
{
    private OnnxGraph Graph => builder.Graph;

    /// <summary>What is added to the scores of each token: 0, or for padding a number so low that nothing comes through.</summary>
    /// <param name="mask">(B,S), 1 for real tokens.</param>
    /// <returns>(B,1,1,S).</returns>
    internal string Mask(string mask)
    {
        // In the steps that ONNX Runtime knows. Scores differ by tens: exp of -10000 is 0 in every precision.
        const double hidden = -10000;
        var wide = Graph.Add("mask/Heads", "Unsqueeze", [mask], ("axes", new long[] { 1 }));
        wide = Graph.Add("mask/Rows", "Unsqueeze", [wide], ("axes", new long[] { 2 }));
        var number = builder.Cast("mask/Cast", wide, builder.Type);
        return Graph.Add("mask/Mul", "Mul", [Graph.Add("mask/Sub", "Sub", [builder.Number(1), number]), builder.Number(hidden)]);
    }

    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="asking">(B,Q,H), the tokens whose states are wanted.</param>
    /// <param name="x">(B,S,H), the tokens they look at.</param>
    /// <param name="mask">Of <see cref="Mask"/>.</param>
    /// <param name="layers">Names of the linear layers that make queries, keys and values.</param>
    /// <returns>(B,Q,H).</returns>
    internal string Build(string scope, string asking, string x, string mask, (string Query, string Key, string Value) layers)
    {
        var query = Heads("query", layers.Query, asking, 0, 2, 1, 3);                                                                // (B,N,Q,D)
        var key = Heads("key", layers.Key, x, 0, 2, 3, 1);                                                                         // (B,N,D,S)
        var value = Heads("value", layers.Value, x, 0, 2, 1, 3);                                                                     // (B,N,S,D)
        var scores = Graph.Add(scope + "/Scores", "MatMul", [query, key]);
        var scaled = Graph.Add(scope + "/Div", "Div", [scores, builder.Number(Math.Sqrt((double)hidden / heads))]);
        var shares = Graph.Add(scope + "/Softmax", "Softmax", [Graph.Add(scope + "/Mask", "Add", [scaled, mask])], ("axis", 3L));
        var mixed = Graph.Add(scope + "/MatMul", "MatMul", [shares, value]);                                           // (B,N,Q,D)
        var turned = Graph.Add(scope + "/Transpose", "Transpose", [mixed], ("perm", new long[] { 0, 2, 1, 3 }));
        return Graph.Add(scope + "/Reshape", "Reshape", [turned, Graph.Numbers(0, 0, hidden)]);

        string Heads(string name, string layer, string input, params long[] order)
        {
            var part = $"{scope}/{name}";
            var projected = builder.Linear(part, input, layer, hidden, hidden);
            var split = Graph.Add(part + "/Reshape", "Reshape", [projected, Graph.Numbers(0, 0, heads, hidden / heads)]);
            return Graph.Add(part + "/Transpose", "Transpose", [split], ("perm", order));
        }
    }
}
