namespace Attune.Tokenization;

/// <summary>What a tokenizer.json of another kind than BERT's describes.</summary>
/// <param name="Vocabulary">Tokens and ids of the model.</param>
/// <param name="Normalizer">What is done with the text first; null for nothing.</param>
/// <param name="Words">Makes the pre-tokenizer with the model; gets the tokens that no text may have.</param>
/// <param name="Template">Where the special tokens stand.</param>
/// <param name="Decode">Puts tokens together.</param>
/// <param name="Trim">How spaces at the ends of a token are left out of its place; null for not at all.</param>
internal sealed record PipelineParts(
    Vocabulary Vocabulary, Normalizer? Normalizer, Func<IReadOnlySet<string>, WordEncoder> Words, SequenceTemplate Template,
    Func<IEnumerable<string>, string> Decode, OffsetTrim? Trim);

/// <summary>Leaves the spaces at the ends of a token out of its place. Behaviour of process_offsets in tokenizers/src/pre_tokenizers/byte_level.rs.</summary>
/// <param name="AddPrefixSpace">Whether the first token's space is one that was put in front.</param>
internal sealed record OffsetTrim(bool AddPrefixSpace)
{
    internal (int Start, int End) Of(string token, int number, (int Start, int End) place)
    {
        var (start, end) = place;
        var (leading, trailing) = (0, 0);
        while (leading < token.Length && IsSpace(token[leading])) leading++;
        while (trailing < token.Length && IsSpace(token[token.Length - 1 - trailing])) trailing++;
        if (leading > 0 && AddPrefixSpace && (number == 0 || start == 0)) leading--;
        if (leading > 0) start = Math.Min(start + leading, end);
        if (trailing > 0 && end >= trailing) end = Math.Max(end - trailing, start);
        return (start, end);
    }

    private static bool IsSpace(char c) => c == ByteAlphabet.Space || (UnicodeTable.Flags(c) & UnicodeTable.Space) != 0;
}
