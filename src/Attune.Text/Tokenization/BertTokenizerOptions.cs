namespace Attune.Tokenization;

/// <summary>What tokenizer_config.json and tokenizer.json say about a BERT tokenizer besides its vocabulary.</summary>
public sealed record BertTokenizerOptions : TokenizerOptions
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

    /// <summary>A word of more code points is unknown.</summary>
    /// <value>Code points. Default 100.</value>
    public int MaxInputCharsPerWord { get; init; } = 100;

    /// <summary>What pieces inside a word begin with in the vocabulary.</summary>
    /// <value>Default "##".</value>
    public string ContinuingSubwordPrefix { get; init; } = "##";

    /// <summary>Remove the spaces before punctuation when decoding (the decoder's <c>cleanup</c>).</summary>
    /// <value>Default true.</value>
    public bool CleanUpTokenizationSpaces { get; init; } = true;
}
