namespace Attune.Tokenization;

/// <summary>One text to its tokens, without the special tokens around it: added tokens first, then the words between them.</summary>
internal sealed class TextEncoder(BertNormalizer normalizer, WordPiece model, AddedVocabulary added)
{
    private const int Slice = 1 << 12;
    private readonly WordCutter _cutter = new(normalizer, model);

    /// <summary>Puts the text's tokens into <see cref="Scratch.Tokens"/>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="limit">Stop after the word that brings the tokens to this number; there may be a few more.</param>
    /// <param name="withOffsets">Record where the tokens stand.</param>
    /// <param name="scratch">This thread's buffers.</param>
    internal void Encode(ReadOnlySpan<char> text, int limit, bool withOffsets, Scratch scratch)
    {
        scratch.Tokens.Clear(withOffsets, text.Length, limit);
        if (added.IsEmpty)
        {
            _cutter.Cut(text, 0, limit, scratch);
            return;
        }
        var (from, searched) = (0, 0);
        while (added.NextRaw(text, ref searched, from) is { } match)
        {
            if (Between(text[from..match.Start], from, limit, scratch)) return;
            scratch.Tokens.Add(match.Id, match.Start, match.End);
            from = match.End;
        }
        Between(text[from..], from, limit, scratch);
    }

    /// <summary>Writes the text's ids, as many as there is room for; a long text slice by slice, so that it takes no memory of its own.</summary>
    /// <returns>How many.</returns>
    internal int Encode(ReadOnlySpan<char> text, Span<int> ids, Scratch scratch)
    {
        if (!added.IsEmpty)
        {
            Encode(text, ids.Length, withOffsets: false, scratch);
            return Copy(scratch.Tokens.Ids, ids);
        }
        for (var (at, count) = (0, 0); ;)
        {
            var room = ids.Length - count;
            var pause = Math.Min(Slice, room);
            scratch.Tokens.Clear(withOffsets: false, text.Length, pause);
            var goesOn = _cutter.CutSlice(text, ref at, 0, pause, room, scratch);
            count += Copy(scratch.Tokens.Ids, ids[count..]);
            if (!goesOn || count == ids.Length) return count;
        }
    }

    private static int Copy(ReadOnlySpan<int> tokens, Span<int> ids)
    {
        var count = Math.Min(tokens.Length, ids.Length);
        tokens[..count].CopyTo(ids);
        return count;
    }

    /// <summary>Appends the tokens of a text between two added ones. Returns true if the limit was reached.</summary>
    private bool Between(ReadOnlySpan<char> text, int offset, int limit, Scratch scratch)
    {
        if (!added.SearchesNormalized) return _cutter.Cut(text, offset, limit, scratch);
        var normalized = scratch.Normalized;
        normalized.Clear();
        normalizer.Append(text, offset, normalized, scratch.Marks);
        var (from, searched) = (0, 0);
        while (added.NextNormalized(normalized.Chars, ref searched, from) is { } match)
        {
            if (_cutter.CutNormalized(normalized, from, match.Start, limit, scratch.Tokens)) return true;
            scratch.Tokens.Add(match.Id, normalized.Starts[match.Start], normalized.Ends[match.End - 1]);
            from = match.End;
        }
        return _cutter.CutNormalized(normalized, from, normalized.Length, limit, scratch.Tokens);
    }
}
