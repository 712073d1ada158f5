namespace Attune.Tokenization;

/// <summary>What tokenizer_config.json and tokenizer.json say about a BERT tokenizer besides its vocabulary.</summary>
public sealed record BertTokenizerOptions
{
    /// <summary>Lower the case of the text (<c>do_lower_case</c>).</summary>
    /// <value>Default true, as in transformers.</value>
    public bool DoLowerCase { get; init; } = true;

    /// <summary>Take accents away (<c>strip_accents</c>).</summary>
    /// <value>Default null: the same as <see cref="DoLowerCase"/>.</value>
    public bool? StripAccents { get; init; }

    /// <summary>Make every CJK ideograph a word of its own (<c>tokenize_chinese_chars</c>).</summary>
    /// <value>Default true.</value>
    public bool TokenizeChineseChars { get; init; } = true;

    /// <summary>Remove control characters and make all white space a plain space (<c>clean_text</c>).</summary>
    /// <value>Default true.</value>
    public bool CleanText { get; init; } = true;

    /// <summary>The longest input of the model (<c>model_max_length</c>); it cuts nothing by itself.</summary>
    /// <value>Tokens, special ones included. Default null: unlimited or unknown.</value>
    public int? ModelMaxLength { get; init; }

    /// <summary>A word of more code points is unknown.</summary>
    /// <value>Code points. Default 100.</value>
    public int MaxInputCharsPerWord { get; init; } = 100;

    /// <summary>What pieces inside a word begin with in the vocabulary.</summary>
    /// <value>Default "##".</value>
    public string ContinuingSubwordPrefix { get; init; } = "##";

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

    /// <summary>Remove the spaces before punctuation when decoding (the decoder's <c>cleanup</c>).</summary>
    /// <value>Default true.</value>
    public bool CleanUpTokenizationSpaces { get; init; } = true;

    /// <summary>The class that transformers makes of the folder (<c>tokenizer_class</c>).</summary>
    /// <value>Default "BertTokenizer".</value>
    public string TokenizerClass { get; init; } = "BertTokenizer";
}
