namespace Attune.Tokenization;

/// <summary>Learns a WordPiece vocabulary from text: starts at single characters and joins the most frequent neighbours.</summary>
/// <remarks>
/// Behaviour of the tokenizers library's WordPieceTrainer, which is a byte-pair trainer whose inner pieces carry "##"
/// (tokenizers/src/models/bpe/trainer.rs). There the order of equally frequent pairs depends on a hash map's random order; here pieces
/// are numbered by code point, so that the same text always gives the same vocabulary, on any number of cores.
/// </remarks>
public static class WordPieceTrainer
{
    /// <summary>Learns a vocabulary.</summary>
    /// <param name="lines">The text; no word goes over the end of a line.</param>
    /// <param name="options">Size and limits; null for the defaults.</param>
    /// <returns>The tokens in the order of their ids: special ones, characters, characters inside words, joined pieces.</returns>
    public static IReadOnlyList<string> Train(IEnumerable<string> lines, WordPieceTrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(lines);
        options ??= new();
        var words = CountWords(lines, options.Tokenizer);
        var pieces = new PieceList(options.Tokenizer.ContinuingSubwordPrefix);
        foreach (var token in options.SpecialTokens) pieces.Add(token);
        var alphabet = Alphabet(words, options);
        foreach (var character in alphabet) pieces.Add(char.ConvertFromUtf32(character));
        PieceMerger.Merge(Split(words, alphabet, pieces), pieces, options.VocabularySize, options.MinFrequency);
        return pieces.Tokens;
    }

    private static List<KeyValuePair<string, long>> CountWords(IEnumerable<string> lines, BertTokenizerOptions options)
    {
        var normalizer = new BertNormalizer(
            options.CleanText, options.TokenizeChineseChars, options.StripAccents ?? options.DoLowerCase, options.DoLowerCase);
        return WordCounts.Of(lines, (part, counts) =>
        {
            var (text, marks) = (Scratch.Current.Normalized, Scratch.Current.Marks);
            foreach (var line in part)
            {
                text.Clear();
                normalizer.Append(line, 0, text, marks);
                for (var at = 0; text.NextWord(ref at, text.Length, out var word);) counts.Add(text.Chars[word.Start..word.End]);
            }
        });
    }

    /// <summary>The code points kept, in ascending order.</summary>
    private static SortedSet<int> Alphabet(List<KeyValuePair<string, long>> words, WordPieceTrainerOptions options)
    {
        var counts = new Dictionary<int, long>();
        foreach (var (word, count) in words)
            foreach (var rune in word.EnumerateRunes()) counts[rune.Value] = counts.GetValueOrDefault(rune.Value) + count;
        foreach (var rune in options.InitialAlphabet.EnumerateRunes()) counts[rune.Value] = long.MaxValue;
        var kept = counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).Take(options.LimitAlphabet ?? int.MaxValue);
        return [.. kept.Select(entry => entry.Key)];
    }

    /// <summary>Words as the ids of their characters; characters outside the alphabet are left out.</summary>
    private static List<(List<int> Pieces, long Count)> Split(
        List<KeyValuePair<string, long>> words, SortedSet<int> alphabet, PieceList pieces)
    {
        var inside = new SortedSet<int>();
        foreach (var (word, _) in words)
            foreach (var rune in word.EnumerateRunes().Skip(1))
                if (alphabet.Contains(rune.Value)) inside.Add(rune.Value);
        foreach (var character in inside) pieces.Add(pieces.Prefix + char.ConvertFromUtf32(character));
        var split = new List<(List<int>, long)>(words.Count);
        foreach (var (word, count) in words)
        {
            var ids = new List<int>(word.Length);
            var first = true;
            foreach (var rune in word.EnumerateRunes())
            {
                if (alphabet.Contains(rune.Value)) ids.Add(pieces.IdOf(first ? rune.ToString() : pieces.Prefix + rune));
                first = false;
            }
            split.Add((ids, count));
        }
        return split;
    }
}
