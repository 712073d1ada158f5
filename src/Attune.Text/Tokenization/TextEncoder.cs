namespace Attune.Tokenization;

/// <summary>One text to its tokens, without the special tokens around it: added tokens first, then the words between them.</summary>
internal abstract class TextEncoder(AddedVocabulary added)
{
    /// <summary>The tokens that are found whole.</summary>
    internal AddedVocabulary Added => added;

    /// <summary>Puts the text's tokens into <see cref="Scratch.Tokens"/>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="limit">Stop after the word that brings the tokens to this number; there may be a few more.</param>
    /// <param name="withOffsets">Record where the tokens stand.</param>
    /// <param name="scratch">This thread's buffers.</param>
    internal void Encode(ReadOnlySpan<char> text, int limit, bool withOffsets, Scratch scratch)
    {
        scratch.Tokens.Clear(withOffsets, text.Length, limit);
        var (from, searched) = (0, 0);
        while (added.NextRaw(text, ref searched, from) is { } match)
        {
            if (Between(text[from..match.Start], from, limit, scratch)) return;
            scratch.Tokens.Add(match.Id, match.Start, match.End);
            from = match.End;
        }
        Between(text[from..], from, limit, scratch);
    }

    /// <summary>Writes the text's ids, as many as there is room for.</summary>
    /// <returns>How many.</returns>
    internal virtual int Encode(ReadOnlySpan<char> text, Span<int> ids, Scratch scratch)
    {
        Encode(text, ids.Length, withOffsets: false, scratch);
        return Copy(scratch.Tokens.Ids, ids);
    }

    private protected static int Copy(ReadOnlySpan<int> tokens, Span<int> ids)
    {
        var count = Math.Min(tokens.Length, ids.Length);
        tokens[..count].CopyTo(ids);
        return count;
    }

    /// <summary>Appends the tokens of a text between two added ones, which begins at <paramref name="offset"/>. Returns true if the limit was reached.</summary>
    private protected abstract bool Between(ReadOnlySpan<char> text, int offset, int limit, Scratch scratch);

    /// <summary>Appends the tokens of a part of a normalized text without added tokens. Returns true if the limit was reached.</summary>
    private protected abstract bool Words(NormalizedText text, int from, int to, int limit, Scratch scratch);

    /// <summary>The same for a normalized text, in which added tokens are looked for in their normalized form.</summary>
    private protected bool Between(NormalizedText normalized, int limit, Scratch scratch)
    {
        var (from, searched) = (0, 0);
        while (added.NextNormalized(normalized.Chars, ref searched, from) is { } match)
        {
            if (Words(normalized, from, match.Start, limit, scratch)) return true;
            scratch.Tokens.Add(match.Id, normalized.Starts[match.Start], normalized.Ends[match.End - 1]);
            from = match.End;
        }
        return Words(normalized, from, normalized.Length, limit, scratch);
    }
}
