using Attune.Tokenization;

namespace Attune.Pretraining;

/// <summary>Which tokens of a vocabulary go on with the word before them.</summary>
/// <remarks>
/// Of WordPiece those with its prefix (##); of byte-level BPE and Unigram those without the sign of a space in front, so that a word there is what
/// stands between two spaces.
/// </remarks>
internal sealed class WordStarts
{
    private const char ByteLevelSpace = '\u0120', MetaspaceSign = '\u2581';

    private readonly bool[] _goesOn;

    internal WordStarts(Tokenizer tokenizer)
    {
        _goesOn = new bool[tokenizer.VocabularySize];
        var special = tokenizer.SpecialIds.ToHashSet();
        var tokens = Enumerable.Range(0, _goesOn.Length).Select(id => tokenizer.IdToToken(id) ?? "").ToArray();
        Func<string, bool> goesOn;
        if (tokenizer is BertTokenizer bert)
        {
            var prefix = bert.Options.ContinuingSubwordPrefix;
            goesOn = token => token.StartsWith(prefix, StringComparison.Ordinal) && token.Length > prefix.Length;
        }
        else
        {
            var sign = Array.Exists(tokens, token => token.StartsWith(ByteLevelSpace)) ? ByteLevelSpace : MetaspaceSign;
            goesOn = token => !token.StartsWith(sign);
        }
        for (var id = 0; id < tokens.Length; id++) _goesOn[id] = !special.Contains(id) && goesOn(tokens[id]);
    }

    /// <summary>Whether a token goes on with a word.</summary>
    internal bool GoesOn(int id) => _goesOn[id];
}
