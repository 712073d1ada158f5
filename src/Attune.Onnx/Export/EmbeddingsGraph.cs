using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, E size of the tables' rows, H hidden size.

/// <summary>LayerNorm(word + token type + position); where E is not H, a linear layer stands behind or before that.</summary>
internal sealed class EmbeddingsGraph(GraphBuilder builder, PreTrainedConfig config, EmbeddingsForm form, string prefix)
{
    private OnnxGraph Graph => builder.Graph;

    /// <param name="ids">(B,S).</param>
    /// <param name="mask">(B,S).</param>
    /// <returns>(B,S,H).</returns>
    internal string Build(string ids, string mask)
    {
        var part = prefix + "embeddings.";
        var size = form.Size ?? config.HiddenSize;
        var sum = builder.Embedding("embeddings/word", ids, $"{part}{form.Words}.weight", config.VocabSize, size);
        var kinds = form.HasTypes ? builder.Embedding("embeddings/type", Types(), part + "token_type_embeddings.weight", config.TypeVocabSize, size) : null;
        var places = form.HasPositions ? builder.Embedding("embeddings/position", Positions(ids), part + "position_embeddings.weight", config.MaxPositionEmbeddings, size) : null;
        if (kinds is not null) sum = Graph.Add("embeddings/AddType", "Add", [sum, kinds]);
        if (places is not null) sum = Graph.Add("embeddings/Add", "Add", [sum, places]);
        if (form is { ProjectsFirst: true, Projection: { } first }) sum = builder.Linear("embeddings/projection", sum, first, size, config.HiddenSize, hasBias: false);
        var state = builder.LayerNorm("embeddings", sum, part + form.Norm, form.ProjectsFirst ? config.HiddenSize : size, config.LayerNormEps, form.HasNormBias);
        if (form.ClearsHidden) state = builder.ClearHidden("embeddings", state, mask);
        return form is { ProjectsFirst: false, Projection: { } last } ? builder.Linear("embeddings/projection", state, last, size, config.HiddenSize) : state;
    }

    /// <summary>The segments: an input, but for a model that has one only, which programs do not give.</summary>
    private string Types() => config.TypeVocabSize > 1 ? Graph.Input("token_type_ids", "batch_size", "sequence_length") : Graph.Numbers(0);

    /// <summary>The position of each token, (B,S).</summary>
    private string Positions(string ids)
    {
        const string scope = "embeddings/position/";
        if (!form.CountsFromPadding)
        {
            // The columns. Counted up from ones, so that a runtime knows that the shape is that of the ids.
            var ones = Graph.Add(scope + "Ones", "Cast", [Graph.Add(scope + "Equal", "Equal", [ids, ids])], ("to", (long)OnnxType.Int64));
            var counted = Graph.Add(scope + "CumSum", "CumSum", [ones, Graph.Number(1, OnnxType.Int64)]);
            return Graph.Add(scope + "Sub", "Sub", [counted, Graph.Number(1, OnnxType.Int64)]);
        }
        var padding = Graph.Number(config.PadTokenId ?? 0, OnnxType.Int64);
        var isText = Graph.Add(scope + "Not", "Not", [Graph.Add(scope + "Equal", "Equal", [ids, padding])]);
        var texts = Graph.Add(scope + "Ones", "Cast", [isText], ("to", (long)OnnxType.Int64));
        var numbers = Graph.Add(scope + "Texts", "Mul", [Graph.Add(scope + "CumSum", "CumSum", [texts, Graph.Number(1, OnnxType.Int64)]), texts]);
        return Graph.Add(scope + "Add", "Add", [numbers, padding]);
    }
}
