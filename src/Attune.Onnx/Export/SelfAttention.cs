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
    /// <param name="bias">What is added to the scaled scores, (1,N,Q,S); null for nothing.</param>
    /// <returns>(B,Q,H).</returns>
    internal string Build(string scope, string asking, string x, string mask, (string Query, string Key, string Value) layers, string? bias = null)
    {
        var query = Made("query", layers.Query, asking, 0, 2, 1, 3);                                                                 // (B,N,Q,D)
        var key = Made("key", layers.Key, x, 0, 2, 3, 1);                                                                          // (B,N,D,S)
        var value = Made("value", layers.Value, x, 0, 2, 1, 3);                                                                      // (B,N,S,D)
        var scores = Graph.Add(scope + "/Scores", "MatMul", [query, key]);
        var scaled = Scaled(scope, scores);
        if (bias is not null) scaled = Graph.Add(scope + "/Bias", "Add", [scaled, bias]);
        return Mix(scope, Graph.Add(scope + "/Mask", "Add", [scaled, mask]), value);

        string Made(string name, string layer, string input, params long[] order) =>
            Heads($"{scope}/{name}", builder.Linear($"{scope}/{name}", input, layer, hidden, hidden), order);
    }

    /// <summary>States as those of the heads.</summary>
    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="states">(B,Q,H).</param>
    /// <param name="order">Of the four dimensions B, Q, N and D in the result.</param>
    internal string Heads(string scope, string states, params long[] order) => Graph.Add(scope + "/Transpose", "Transpose",
        [Graph.Add(scope + "/Reshape", "Reshape", [states, Graph.Numbers(0, 0, heads, hidden / heads)])], ("perm", order));

    /// <summary>Scores over the square root of a head's size, and of how many terms they are the sum of.</summary>
    internal string Scaled(string scope, string scores, int terms = 1) => Graph.Add(scope + "/Div", "Div", [scores, builder.Number(Math.Sqrt((double)hidden / heads * terms))]);

    /// <summary>Scores with the smallest number in the place of those of tokens that are not seen. A token that sees none takes the mean of all values, as in transformers.</summary>
    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="scores">(B,N,Q,S).</param>
    /// <param name="visible">Which tokens see which, (B,1,Q,S) or (B,1,1,S).</param>
    internal string Seen(string scope, string scores, string visible) => Graph.Add(scope + "/Where", "Where", [visible, scores, builder.Number(builder.Lowest)]);

    /// <summary>The values by their shares, of all heads together.</summary>
    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="scores">(B,N,Q,S), those of padding so low that they get no share.</param>
    /// <param name="value">(B,N,S,D).</param>
    /// <returns>(B,Q,H).</returns>
    internal string Mix(string scope, string scores, string value)
    {
        var shares = Graph.Add(scope + "/Softmax", "Softmax", [scores], ("axis", 3L));
        var mixed = Graph.Add(scope + "/MatMul", "MatMul", [shares, value]);                                           // (B,N,Q,D)
        var turned = Graph.Add(scope + "/Transpose", "Transpose", [mixed], ("perm", new long[] { 0, 2, 1, 3 }));
        return Graph.Add(scope + "/Reshape", "Reshape", [turned, Graph.Numbers(0, 0, hidden)]);
    }
}
