namespace Attune.Tokenization;

/// <summary>BERT's way from a text to its tokens.</summary>
internal sealed class BertTextEncoder(BertNormalizer normalizer, WordPiece model, AddedVocabulary added) : TextEncoder(added)
{
    private const int Slice = 1 << 12;
    private readonly WordCutter _cutter = new(normalizer, model);

    /// <summary>A long text goes slice by slice, so that it takes no memory of its own.</summary>
    internal override int Encode(ReadOnlySpan<char> text, Span<int> ids, Scratch scratch)
    {
        if (!Added.IsEmpty) return base.Encode(text, ids, scratch);
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

    private protected override bool Between(ReadOnlySpan<char> text, int offset, int limit, Scratch scratch)
    {
        if (!Added.SearchesNormalized) return _cutter.Cut(text, offset, limit, scratch);
        var normalized = scratch.Normalized;
        normalized.Clear();
        normalizer.Append(text, offset, normalized, scratch.Marks);
        return Between(normalized, limit, scratch);
    }

    private protected override bool Words(NormalizedText text, int from, int to, int limit, Scratch scratch) =>
        _cutter.CutNormalized(text, from, to, limit, scratch.Tokens);
}
