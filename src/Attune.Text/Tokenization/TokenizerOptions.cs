namespace Attune.Tokenization;

/// <summary>What all kinds of tokenizers have besides their vocabulary: the names of the special tokens, and how a model takes its input.</summary>
public record TokenizerOptions
{
    /// <summary>The longest input of the model (<c>model_max_length</c>); it cuts nothing by itself.</summary>
    /// <value>Tokens, special ones included. Default null: unlimited or unknown.</value>
    public int? ModelMaxLength { get; init; }

    /// <summary>The token for unknown words.</summary>
    /// <value>Default "[UNK]".</value>
    public string UnkToken { get; init; } = "[UNK]";

    /// <summary>The token that ends a sequence.</summary>
    /// <value>Default "[SEP]".</value>
    public string SepToken { get; init; } = "[SEP]";

    /// <summary>The token that fills up a batch.</summary>
    /// <value>Default "[PAD]".</value>
    public string PadToken { get; init; } = "[PAD]";

    /// <summary>The token that begins a sequence and whose output is classified.</summary>
    /// <value>Default "[CLS]".</value>
    public string ClsToken { get; init; } = "[CLS]";

    /// <summary>The token for hidden words in pretraining. It may be missing from the vocabulary.</summary>
    /// <value>Default "[MASK]".</value>
    public string MaskToken { get; init; } = "[MASK]";

    /// <summary>Further tokens that are found in the text as a whole; those the vocabulary lacks get the next ids.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>What a special token's text means inside a text.</summary>
    /// <value>Default <see cref="SpecialTokensInText.AsText"/>; transformers has the other one.</value>
    public SpecialTokensInText SpecialTokensInText { get; init; }

    /// <summary>Where a batch is filled up (<c>padding_side</c>).</summary>
    /// <value>Default right.</value>
    public PaddingSide PaddingSide { get; init; }

    /// <summary>The class that transformers makes of the folder (<c>tokenizer_class</c>).</summary>
    /// <value>Default "BertTokenizer".</value>
    public string TokenizerClass { get; init; } = "BertTokenizer";
}
