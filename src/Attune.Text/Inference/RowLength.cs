using Attune.Models;
using Attune.Tokenization;

namespace Attune.Inference;

/// <summary>How long a row of tokens may be.</summary>
public static class RowLength
{
    private const int Shortest = 3;                                        // a word between [CLS] and [SEP]

    /// <summary>What is asked for, else the tokenizer's limit; at most what the model has positions for.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="config">The model's configuration.</param>
    /// <param name="wanted">Tokens, special ones included; null where nothing is asked for.</param>
    /// <exception cref="AttuneException">The tokenizer has more ids than the model, or the length is no length.</exception>
    public static int Of(Tokenizer tokenizer, PreTrainedConfig config, int? wanted = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(config);
        if (tokenizer.VocabularySize > config.VocabSize)
            throw new AttuneException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, but vocab_size in config.json is {config.VocabSize}; " +
                "take both files from the same model.");
        if (wanted < Shortest) throw new AttuneException($"max_length is {wanted}; it must be at least {Shortest} to hold a word and its special tokens.");
        return Math.Min(wanted ?? tokenizer.ModelMaxLength ?? int.MaxValue, config.MaxTokens);
    }
}
