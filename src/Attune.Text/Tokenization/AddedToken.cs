namespace Attune.Tokenization;

/// <summary>A token that is found in the text before it is cut into words, as in tokenizer.json's <c>added_tokens</c>.</summary>
/// <param name="Content">The token as it stands in the text.</param>
public sealed record AddedToken(string Content)
{
    /// <summary>Only found where no word character touches it.</summary>
    /// <value>Default false.</value>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space on its left with it.</summary>
    /// <value>Default false.</value>
    public bool LStrip { get; init; }

    /// <summary>Takes the white space on its right with it.</summary>
    /// <value>Default false.</value>
    public bool RStrip { get; init; }

    /// <summary>Looked for in the normalized text, in its own normalized form; otherwise in the text as it is.</summary>
    /// <value>Default false, as for special tokens.</value>
    public bool Normalized { get; init; }

    /// <summary>Left out when decoding without special tokens, and plain text in user's text unless asked otherwise.</summary>
    /// <value>Default false.</value>
    public bool Special { get; init; }
}
