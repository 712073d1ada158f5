namespace Attune.Models;

/// <summary>What distinguishes the layers of families that compute as BERT's do: the names of their weights, and where dropout stands.</summary>
internal sealed record BertLayerForm
{
    internal string Query { get; init; } = "attention.self.query";

    internal string Key { get; init; } = "attention.self.key";

    internal string Value { get; init; } = "attention.self.value";

    internal string AttentionOutput { get; init; } = "attention.output.dense";

    internal string AttentionNorm { get; init; } = "attention.output.LayerNorm";

    internal string Intermediate { get; init; } = "intermediate.dense";

    internal string Output { get; init; } = "output.dense";

    internal string OutputNorm { get; init; } = "output.LayerNorm";

    /// <summary>Whether <see cref="OutputNorm"/> is the first of the layer's weights in torch's order, and not the last.</summary>
    internal bool OutputNormIsFirst { get; init; }

    /// <summary>Whether dropout stands behind the attention's output.</summary>
    internal bool DropsAttentionOutput { get; init; } = true;

    /// <summary>Whether dropout stands behind the feed-forward's output.</summary>
    internal bool DropsOutput { get; init; } = true;

    /// <summary>BERT's own.</summary>
    internal static BertLayerForm Bert { get; } = new();
}
