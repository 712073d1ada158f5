namespace Attune.Tokenization;

/// <summary>A word in those pieces whose probabilities have the highest product.</summary>
/// <remarks>Behaviour of encode_optimized in tokenizers/src/models/unigram/model.rs: of equal sums the first found stays, and unknown characters in a row are one token.</remarks>
internal sealed class Unigram
{
    private const double UnknownPenalty = 10;
    private readonly PieceTrie _trie;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly double[] _scores;
    private readonly double _unknownScore;
    private readonly int _unknownId;

    /// <param name="pieces">Pieces with their ids, without those that a text cannot have.</param>
    /// <param name="scores">Logarithm of the probability of each id.</param>
    /// <param name="unknownId">Id of what no piece covers.</param>
    internal Unigram(Dictionary<string, int> pieces, double[] scores, int unknownId)
    {
        (_trie, _ids, _scores, _unknownId) = (new PieceTrie(pieces), pieces.GetAlternateLookup<ReadOnlySpan<char>>(), scores, unknownId);
        _unknownScore = scores.Min() - UnknownPenalty;
    }

    /// <summary>Appends the tokens of a word, which is a part of <paramref name="places"/> from <paramref name="from"/> on.</summary>
    internal void Add(ReadOnlySpan<char> word, NormalizedText places, int from, TokenBuffer tokens)
    {
        var best = new Node[word.Length + 1];
        for (var start = 0; start < word.Length;)
        {
            var sum = best[start].Score;
            var next = start;
            BertNormalizer.CodeAt(word, ref next);
            var isCovered = false;
            for (int end = start, node = 0; end < word.Length;)
            {
                if ((node = _trie.Next(node, word[end++])) == 0) break;
                if (_trie.IdAt(node) is < 0) continue;
                var id = _trie.IdAt(node);
                Offer(ref best[end], sum + _scores[id], start, id);
                isCovered |= end == next;
            }
            if (!isCovered) Offer(ref best[next], sum + _unknownScore, start, _unknownId);
            start = next;
        }
        var pieces = new Stack<(int Start, int End)>();
        for (var end = word.Length; end > 0;)
        {
            var start = best[end].Start;
            while (best[end].Id == _unknownId && start > 0 && best[start].Id == _unknownId) start = best[start].Start;
            pieces.Push((start, end));
            end = start;
        }
        foreach (var (start, end) in pieces)
            tokens.Add(_ids.TryGetValue(word[start..end], out var id) ? id : _unknownId, places.Starts[from + start], places.Ends[from + end - 1]);
    }

    private static void Offer(ref Node node, double score, int start, int id)
    {
        if (!node.IsReached || score > node.Score) node = new Node(score, start, id, true);
    }

    /// <summary>The best way to a place in the word: its last piece.</summary>
    private readonly record struct Node(double Score, int Start, int Id, bool IsReached);
}
