using System.Buffers;

namespace Attune.Tokenization;

/// <summary>Finds added tokens in a text. Behaviour of tokenizers/src/tokenizer/added_vocabulary.rs.</summary>
internal sealed class AddedVocabulary
{
    private readonly Dictionary<int, AddedToken> _tokens = [];
    private readonly Dictionary<int, string> _decoded = [];
    private readonly HashSet<string> _special;
    private readonly Search? _raw;
    private readonly Search? _normalized;
    private readonly bool _specialAsText;

    internal AddedVocabulary(
        IReadOnlyList<NumberedToken> tokens, Func<string, string> normal, SpecialTokensInText specialTokens)
    {
        foreach (var (token, id) in tokens)
        {
            _tokens[id] = token;
            _decoded[id] = token.Normalized ? normal(token.Content) : token.Content;
        }
        _special = [.. tokens.Where(t => t.Token.Special).Select(t => t.Token.Content)];
        _specialAsText = specialTokens == SpecialTokensInText.AsText;
        if (_specialAsText && tokens.All(token => token.Token.Special)) return;            // nothing that could be found
        _raw = Trie(_tokens.Where(t => !t.Value.Normalized).Select(t => t.Key));
        _normalized = Trie(_tokens.Where(t => t.Value.Normalized).Select(t => t.Key));
    }

    /// <summary>True where a text need not be searched at all.</summary>
    internal bool IsEmpty => _raw is null && _normalized is null;

    internal bool SearchesNormalized => _normalized is not null;

    /// <summary>What an added token decodes to: its normalized form where it is looked for in that form; null for other ids.</summary>
    internal string? Decoded(int id) => _decoded.GetValueOrDefault(id);

    internal bool IsSpecial(string token) => _special.Contains(token);

    /// <summary>The next token of the text as it is, from <paramref name="from"/> on.</summary>
    internal Match? NextRaw(ReadOnlySpan<char> text, ref int searched, int from) => Next(_raw, text, ref searched, from);

    /// <summary>The next token of a normalized text.</summary>
    internal Match? NextNormalized(ReadOnlySpan<char> text, ref int searched, int from) =>
        Next(_normalized, text, ref searched, from);

    /// <param name="tokens">The tokens to look for.</param>
    /// <param name="text">The whole text.</param>
    /// <param name="searched">Where to look on; moves behind what is found, whether it counts or not.</param>
    /// <param name="from">End of the match before: white space up to there is taken already.</param>
    private Match? Next(Search? tokens, ReadOnlySpan<char> text, ref int searched, int from)
    {
        while (tokens is not null && text[searched..].IndexOfAny(tokens.Beginnings) is >= 0 and var skipped)
        {
            var start = searched += skipped;
            var length = tokens.Trie.Longest(text[start..], out var id);
            if (length == 0)
            {
                searched++;
                continue;
            }
            var end = searched = start + length;
            var token = _tokens[id];
            if (_specialAsText && token.Special) continue;
            if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..]))) continue;
            if (token.LStrip)
                while (start > from && IsSpace(text[start - 1])) start--;
            if (token.RStrip)
                while (end < text.Length && IsSpace(text[end])) end++;
            return new Match(id, start, end);
        }
        return null;
    }

    private Search? Trie(IEnumerable<int> tokens)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var id in tokens)
            if (_decoded[id].Length > 0) ids[_decoded[id]] = id;
        return ids.Count == 0 ? null : new Search(new PieceTrie(ids), SearchValues.Create([.. ids.Keys.Select(token => token[0]).Distinct()]));
    }

    private static bool IsSpace(char c) => (UnicodeTable.Flags(c) & UnicodeTable.Space) != 0;

    private static bool EndsWithWord(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return false;
        var at = text.Length > 1 && char.IsLowSurrogate(text[^1]) && char.IsHighSurrogate(text[^2]) ? text.Length - 2 : text.Length - 1;
        return StartsWithWord(text[at..]);
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text)
    {
        var at = 0;
        return !text.IsEmpty && (UnicodeTable.Flags(BertNormalizer.CodeAt(text, ref at)) & UnicodeTable.Word) != 0;
    }

    /// <summary>Tokens that are looked for, and the characters that one can begin with.</summary>
    private sealed record Search(PieceTrie Trie, SearchValues<char> Beginnings);

    /// <summary>An added token in a text, with the white space that it takes.</summary>
    internal readonly record struct Match(int Id, int Start, int End);
}

/// <summary>An added token and its id.</summary>
internal sealed record NumberedToken(AddedToken Token, int Id);
