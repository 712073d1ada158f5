using Attune.Batching;
using Attune.Models;

namespace Attune.Pretraining;

/// <summary>What a new masked language model begins with.</summary>
public static class InitialWeights
{
    /// <summary>
    /// Gives a new model what counting finds in a minute and learning only after thousands of updates: how often each token stands in the text (the bias of
    /// its logit), which others stand near it (its embedding), and first layers whose heads look at the tokens around each. Everything else stays random.
    /// </summary>
    /// <param name="model">Made by <see cref="BertForMaskedLM.FromConfig"/>.</param>
    /// <param name="collator">Knows the tokenizer.</param>
    /// <param name="data">The text.</param>
    /// <param name="seed">Of what is left to chance. Default 42.</param>
    /// <exception cref="AttuneException">The text has tokens that the model does not.</exception>
    public static void FromText(BertForMaskedLM model, DataCollatorForLanguageModeling collator, TokenizedDataset data, ulong seed = 42)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(collator);
        ArgumentNullException.ThrowIfNull(data);
        var counts = collator.Counts(data);
        if (counts.Length > model.Config.VocabSize)
            throw new AttuneException($"The tokenizer has {counts.Length} tokens and the model {model.Config.VocabSize}; take the tokenizer that belongs to it.");
        model.StartFromCounts(counts);
        model.StartFromVectors(WordVectors.Of(data.Rows, counts, model.Config.HiddenSize, seed));
        model.StartWithNeighbours(seed);
    }
}
