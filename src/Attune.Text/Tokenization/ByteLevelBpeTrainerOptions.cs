namespace Attune.Tokenization;

/// <summary>How a vocabulary of byte-level BPE is learned: the arguments of ByteLevelBPETokenizer.train in the tokenizers library.</summary>
public sealed record ByteLevelBpeTrainerOptions
{
    /// <summary>Stop at this number of tokens, special tokens and the 256 bytes included.</summary>
    /// <value>Default 30,000, as in the tokenizers library.</value>
    public int VocabularySize { get; init; } = 30_000;

    /// <summary>Join no two pieces that meet less often.</summary>
    /// <value>Default 2.</value>
    public int MinFrequency { get; init; } = 2;

    /// <summary>Lower the case of the text.</summary>
    /// <value>Default false.</value>
    public bool Lowercase { get; init; }

    /// <summary>The longest input of the model, which is written with the tokenizer.</summary>
    /// <value>Tokens, special ones included. Default null: none.</value>
    public int? ModelMaxLength { get; init; }
}
