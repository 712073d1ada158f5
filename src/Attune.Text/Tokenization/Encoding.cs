namespace Attune.Tokenization;

/// <summary>One row of tokens, as transformers' BatchEncoding has it: all arrays are of one length.</summary>
public sealed class Encoding
{
    private readonly Func<int, string> _token;
    private readonly string[] _texts;
    private readonly int[] _ids, _sequenceIds;
    private readonly (int Start, int End)[] _offsets;
    private string[]? _tokens;

    internal Encoding(
        int[] ids, int[] typeIds, (int Start, int End)[] offsets, int[] sequenceIds, int[] specialTokensMask, int[] attentionMask,
        string[] texts, Func<int, string> token)
    {
        (_ids, TypeIds, _offsets, _sequenceIds) = (ids, typeIds, offsets, sequenceIds);
        (SpecialTokensMask, AttentionMask, _texts, _token) = (specialTokensMask, attentionMask, texts, token);
    }

    /// <summary>Number of tokens, padding included.</summary>
    public int Length => _ids.Length;

    /// <summary>Ids of the tokens (<c>input_ids</c>).</summary>
    public IReadOnlyList<int> Ids => _ids;

    /// <summary>0 for the first sequence, 1 for the second (<c>token_type_ids</c>).</summary>
    public IReadOnlyList<int> TypeIds { get; }

    /// <summary>Where each token stands in its original text, in UTF-16 code units; (0, 0) for special tokens and padding.</summary>
    public IReadOnlyList<(int Start, int End)> Offsets => _offsets;

    /// <summary>Which text each token comes from: 0 or 1, and -1 for special tokens and padding.</summary>
    public IReadOnlyList<int> SequenceIds => _sequenceIds;

    /// <summary>1 for tokens that were put round the texts and for padding, else 0.</summary>
    public IReadOnlyList<int> SpecialTokensMask { get; }

    /// <summary>0 for padding, else 1.</summary>
    public IReadOnlyList<int> AttentionMask { get; }

    /// <summary>The tokens as the vocabulary spells them; made when first asked for.</summary>
    public IReadOnlyList<string> Tokens => _tokens ??= Spelled();

    /// <summary>The offsets in Unicode code points, as Python and the tokenizers library count.</summary>
    public IReadOnlyList<(int Start, int End)> CodePointOffsets()
    {
        var points = _texts.Select(CodePointsBefore).ToArray();
        var places = new (int, int)[Length];
        for (var i = 0; i < places.Length; i++)
        {
            var ((start, end), text) = (_offsets[i], _sequenceIds[i]);
            places[i] = text < 0 ? (start, end) : (points[text][start], points[text][end]);
        }
        return places;
    }

    /// <summary>The row filled up to a length; itself if it is that long already.</summary>
    internal Encoding Padded(int length, PaddingSide side, int padId)
    {
        var missing = length - Length;
        if (missing <= 0) return this;
        return new Encoding(
            Pad(Ids, padId), Pad(TypeIds, 0), Pad(Offsets, (0, 0)), Pad(SequenceIds, -1), Pad(SpecialTokensMask, 1),
            Pad(AttentionMask, 0), _texts, _token);

        T[] Pad<T>(IReadOnlyList<T> values, T value)
        {
            var padding = Enumerable.Repeat(value, missing);
            return side == PaddingSide.Right ? [.. values, .. padding] : [.. padding, .. values];
        }
    }

    private string[] Spelled()
    {
        var tokens = new string[_ids.Length];
        for (var i = 0; i < tokens.Length; i++) tokens[i] = _token(_ids[i]);
        return tokens;
    }

    private static int[] CodePointsBefore(string text)
    {
        var before = new int[text.Length + 1];
        for (int i = 0, count = 0; i < text.Length; i++)
        {
            before[i] = count;
            var insidePair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (!insidePair) count++;
            before[i + 1] = count;
        }
        return before;
    }
}
