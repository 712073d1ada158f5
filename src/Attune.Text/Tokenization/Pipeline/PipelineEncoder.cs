namespace Attune.Tokenization;

/// <summary>The way from a text to its tokens that a tokenizer.json describes.</summary>
internal sealed class PipelineEncoder(Normalizer? normalizer, WordEncoder words, AddedVocabulary added) : TextEncoder(added)
{
    private protected override bool Between(ReadOnlySpan<char> text, int offset, int limit, Scratch scratch)
    {
        if (text.IsEmpty) return scratch.Tokens.Count >= limit;
        if (words.ReadsRaw && !scratch.Tokens.WithOffsets && !Added.SearchesNormalized && normalizer?.Leaves(text) != false)
            return words.Encode(text, null, 0, limit, scratch);
        var normalized = scratch.Normalized;
        normalized.Clear();
        normalized.Append(text, offset);
        if (normalizer is not null) normalized = normalizer.Run(normalized, scratch.Spare);
        return Between(normalized, limit, scratch);
    }

    private protected override bool Words(NormalizedText text, int from, int to, int limit, Scratch scratch) =>
        from == to ? scratch.Tokens.Count >= limit : words.Encode(text.Chars[from..to], text, from, limit, scratch);
}
