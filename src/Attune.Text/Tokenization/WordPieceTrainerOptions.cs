namespace Attune.Tokenization;

/// <summary>How a vocabulary is learned: the arguments of BertWordPieceTokenizer.train in the tokenizers library.</summary>
public sealed record WordPieceTrainerOptions
{
    /// <summary>Stop at this number of pieces, special tokens included.</summary>
    /// <value>Default 30,000.</value>
    public int VocabularySize { get; init; } = 30_000;

    /// <summary>Join no two pieces that meet less often.</summary>
    /// <value>Default 2.</value>
    public int MinFrequency { get; init; } = 2;

    /// <summary>Keep so many different characters, the most frequent ones; the others are left out of their words.</summary>
    /// <value>Default 1,000; null keeps all.</value>
    public int? LimitAlphabet { get; init; } = 1000;

    /// <summary>Characters that are kept whether they occur or not.</summary>
    /// <value>Default none.</value>
    public string InitialAlphabet { get; init; } = "";

    /// <summary>The first tokens of the vocabulary.</summary>
    /// <value>Default [PAD], [UNK], [CLS], [SEP], [MASK].</value>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>How the text is normalized, and what pieces inside a word begin with.</summary>
    /// <value>Default: lower case, no accents, "##".</value>
    public BertTokenizerOptions Tokenizer { get; init; } = new();
}
