using Attune.Batching;
using Attune.Models;

namespace Attune.Pretraining;

/// <summary>
/// What a new model that finds hidden tokens begins with: what counting finds in a minute and learning only after thousands of updates. How often each token
/// stands in the text (the bias of its logit), which others stand near it (its embedding), and first layers whose heads look at the tokens around each.
/// Everything else stays random.
/// </summary>
public static class InitialWeights
{
    /// <summary>Gives them to a new masked language model.</summary>
    /// <param name="model">Made by <see cref="BertForMaskedLM.FromConfig"/>.</param>
    /// <param name="collator">Knows the tokenizer.</param>
    /// <param name="data">The text.</param>
    /// <param name="seed">Of what is left to chance. Default 42.</param>
    /// <exception cref="AttuneException">The text has tokens that the model does not.</exception>
    public static void FromText(BertForMaskedLM model, DataCollatorForLanguageModeling collator, TokenizedDataset data, ulong seed = 42)
    {
        ArgumentNullException.ThrowIfNull(model);
        FromText(model, model.LogitBias, collator, data, seed);
        TurnToNeighbours(model, [(model.EncoderPrefix, model.Config.NumHiddenLayers)], seed);
    }

    /// <summary>Gives them to a new model that finds replaced tokens, and to its generator.</summary>
    /// <param name="model">Made by <see cref="ElectraForPreTraining.FromConfig"/>, with a generator.</param>
    /// <param name="collator">Knows the tokenizer.</param>
    /// <param name="data">The text.</param>
    /// <param name="seed">Of what is left to chance. Default 42.</param>
    /// <exception cref="AttuneException">The text has tokens that the model does not.</exception>
    public static void FromText(ElectraForPreTraining model, DataCollatorForLanguageModeling collator, TokenizedDataset data, ulong seed = 42)
    {
        ArgumentNullException.ThrowIfNull(model);
        FromText(model, model.GeneratorBias, collator, data, seed);
        // Where the embeddings are projected, heads do not see the positions as they are.
        if (model.Encoder.WordEmbeddings.Shape[1] == model.Config.HiddenSize)
            TurnToNeighbours(model, [(model.EncoderPrefix, model.Config.NumHiddenLayers), (ElectraForPreTraining.GeneratorPrefix, model.GeneratorLayers)], seed);
    }

    /// <summary>The bias of each token's logit becomes the logarithm of how often the token stands in text, each counted once more than it does.</summary>
    /// <param name="bias">Of the tokens of the vocabulary.</param>
    /// <param name="counts">Of the tokens in the order of their ids; of those that are not given none.</param>
    internal static void SetFrequencies(Span<float> bias, ReadOnlySpan<long> counts)
    {
        var total = (double)bias.Length;
        foreach (var count in counts) total += count;
        for (var id = 0; id < bias.Length; id++) bias[id] = (float)Math.Log((1 + (id < counts.Length ? counts[id] : 0)) / total);
    }

    private static void FromText(PreTrainedModel model, Weight logitBias, DataCollatorForLanguageModeling collator, TokenizedDataset data, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(collator);
        ArgumentNullException.ThrowIfNull(data);
        var counts = collator.Counts(data);
        if (counts.Length > model.Config.VocabSize)
            throw new AttuneException($"The tokenizer has {counts.Length} tokens and the model {model.Config.VocabSize}; take the tokenizer that belongs to it.");
        SetFrequencies(logitBias.Span, counts);
        var table = model.Encoder.WordEmbeddings;
        SetVectors(table.Span, WordVectors.Of(data.Rows, counts, (int)table.Shape[1], seed), (int)table.Shape[1], model.Config.InitializerRange);
    }

    /// <summary>The embeddings of tokens become given vectors, as long as random ones would be; where a vector is 0, the embedding stays.</summary>
    private static void SetVectors(Span<float> table, ReadOnlySpan<float> vectors, int size, double deviation)
    {
        var length = (float)(deviation * Math.Sqrt(size));
        for (var first = 0; first < vectors.Length; first += size)
        {
            if (!vectors.Slice(first, size).ContainsAnyExcept(0f)) continue;
            for (var i = first; i < first + size; i++) table[i] = length * vectors[i];
        }
    }

    /// <summary>The first layers of encoders that read the same positions begin with <see cref="NeighbourAttention"/>.</summary>
    private static void TurnToNeighbours(PreTrainedModel model, ReadOnlySpan<(string Prefix, int Layers)> encoders, ulong seed)
    {
        var neighbours = new NeighbourAttention(model.Config.HiddenSize, model.Config.NumAttentionHeads, seed);
        neighbours.FillPositions(model.Weights[model.EncoderPrefix + "embeddings.position_embeddings.weight"].Span, model.Config.InitializerRange);
        foreach (var (prefix, layers) in encoders)
            for (var layer = 0; layer < Math.Min(NeighbourAttention.Layers, layers); layer++)
            {
                var attention = $"{prefix}encoder.layer.{layer}.attention.self.";
                neighbours.Turn(model.Weights[attention + "query.weight"].Span, model.Weights[attention + "key.weight"].Span);
            }
    }
}
