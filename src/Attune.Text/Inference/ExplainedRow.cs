using System.Globalization;
using Attune.Batching;
using Attune.Tokenization;

namespace Attune.Inference;

/// <summary>A text as a row of tokens, the same with its tokens hidden, and which tokens are a word.</summary>
internal sealed class ExplainedRow
{
    private readonly Encoding _encoding;
    private readonly string[] _texts;
    private readonly int[] _ids;
    private readonly int[]? _types;
    private readonly int _hidden;

    /// <param name="encoding">The tokens.</param>
    /// <param name="hidden">Id of the token that stands for those that are hidden.</param>
    /// <param name="text">The text.</param>
    /// <param name="pair">The second text of a pair; else null.</param>
    internal ExplainedRow(Encoding encoding, int hidden, string text, string? pair)
    {
        (_encoding, _texts, _hidden) = (encoding, [text, pair ?? ""], hidden);
        (_ids, _types) = ([.. encoding.Ids], pair is null ? null : [.. encoding.TypeIds]);
        Row = new TokenizedRow(_ids, _types);
        Baseline = Without((0, _ids.Length));
        var words = new List<(int First, int End)>();
        for (var token = 0; token < _ids.Length; token++)
        {
            if (encoding.SequenceIds[token] < 0) continue;
            if (words.Count > 0 && words[^1].End == token && IsContinued(token)) words[^1] = (words[^1].First, token + 1);
            else words.Add((token, token + 1));
        }
        Words = words;
    }

    /// <summary>The tokens.</summary>
    internal TokenizedRow Row { get; }

    /// <summary>The same with all tokens of the texts hidden.</summary>
    internal TokenizedRow Baseline { get; }

    /// <summary>The tokens of each word, from the first to before the end.</summary>
    internal IReadOnlyList<(int First, int End)> Words { get; }

    /// <summary>The row with some tokens hidden; special tokens stay.</summary>
    internal TokenizedRow Without((int First, int End) tokens)
    {
        var ids = (int[])_ids.Clone();
        for (var token = tokens.First; token < tokens.End; token++)
            if (_encoding.SequenceIds[token] >= 0) ids[token] = _hidden;
        return new TokenizedRow(ids, _types);
    }

    /// <summary>Whether a token goes on with the word of the one before: nothing stands between them, and letters or digits stand on both sides.</summary>
    private bool IsContinued(int token)
    {
        var (sequence, at) = (_encoding.SequenceIds[token], _encoding.Offsets[token].Start);
        return _encoding.SequenceIds[token - 1] == sequence && _encoding.Offsets[token - 1].End == at && at > 0 && at < _texts[sequence].Length
            && IsOfWord(_texts[sequence][at - 1]) && IsOfWord(_texts[sequence][at]);
    }

    /// <summary>Letters, digits and marks; not those of East Asian scripts, which are words by themselves (U+2E80 to U+9FFF, U+F900 to U+FAFF).</summary>
    private static bool IsOfWord(char letter) => letter is not ((>= '\u2E80' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF'))
        && (char.IsLetterOrDigit(letter) || char.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);

    internal Attributions Attributions(string label, AttributionMethod method, double logit, double baselineLogit, double[] scores) => new(
        label, method, logit, baselineLogit,
        [.. Words.SelectMany(word => Enumerable.Range(word.First, word.End - word.First)).Select(token => Part(_encoding.Tokens[token], token, token + 1, scores))],
        [.. Words.Select(word => Part(null, word.First, word.End, scores))]);

    private AttributedPart Part(string? spelled, int first, int end, double[] scores)
    {
        var (text, from, to) = (_encoding.SequenceIds[first], _encoding.Offsets[first].Start, _encoding.Offsets[end - 1].End);
        return new AttributedPart(spelled ?? _texts[text][from..to], text == 1, from, to, scores.AsSpan(first..end).ToArray().Sum());
    }
}
