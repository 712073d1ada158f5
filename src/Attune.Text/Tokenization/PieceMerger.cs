namespace Attune.Tokenization;

/// <summary>Joins neighbouring pieces, the most frequent pair first, until the vocabulary is full.</summary>
internal static class PieceMerger
{
    /// <param name="words">Every different word as pieces, with its number; changed in place.</param>
    /// <param name="pieces">The vocabulary so far; grows.</param>
    /// <param name="most">The size wanted.</param>
    /// <param name="minFrequency">Joins no two pieces that meet less often.</param>
    internal static void Merge(List<(List<int> Pieces, long Count)> words, PieceList pieces, int most, int minFrequency)
    {
        var counts = new Dictionary<(int, int), long>();
        var places = new Dictionary<(int, int), List<int>>();
        for (var w = 0; w < words.Count; w++)
        {
            var (word, count) = words[w];
            for (var i = 1; i < word.Count; i++)
            {
                var pair = (word[i - 1], word[i]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
                Note(places, pair, w);
            }
        }
        // The most frequent pair first; of equally frequent ones that of the lower ids.
        var queue = new PriorityQueue<List<int>, (long Count, int Left, int Right)>(Comparer<(long Count, int Left, int Right)>.Create(
            (x, y) => x.Count != y.Count ? y.Count.CompareTo(x.Count) : (x.Left, x.Right).CompareTo((y.Left, y.Right))));
        Enqueue();
        while (pieces.Tokens.Count < most && queue.TryDequeue(out var where, out var top))
        {
            var pair = (top.Left, top.Right);
            if (counts[pair] is var now && now != top.Count)                 // other joins have taken some of them meanwhile
            {
                queue.Enqueue(where, (now, top.Left, top.Right));
                continue;
            }
            if (now < 1 || now < minFrequency) break;
            var joined = pieces.Join(top.Left, top.Right);
            foreach (var w in where) Join(words[w], w, pair, joined, counts, places);
            Enqueue();
        }

        void Enqueue()
        {
            foreach (var (pair, where) in places)
                if (counts[pair] > 0) queue.Enqueue(where, (counts[pair], pair.Item1, pair.Item2));
            places.Clear();
        }
    }

    private static void Join(
        (List<int> Pieces, long Count) word, int index, (int Left, int Right) pair, int joined,
        Dictionary<(int, int), long> counts, Dictionary<(int, int), List<int>> places)
    {
        var (ids, count) = word;
        for (var i = 0; i + 1 < ids.Count; i++)
        {
            if (ids[i] != pair.Left || ids[i + 1] != pair.Right) continue;
            ids[i] = joined;
            ids.RemoveAt(i + 1);
            if (i > 0) Replace((ids[i - 1], pair.Left), (ids[i - 1], joined));
            if (i + 1 < ids.Count) Replace((pair.Right, ids[i + 1]), (joined, ids[i + 1]));
        }

        void Replace((int, int) old, (int, int) fresh)
        {
            counts[old] = counts.GetValueOrDefault(old) - count;
            counts[fresh] = counts.GetValueOrDefault(fresh) + count;
            Note(places, fresh, index);
        }
    }

    private static void Note(Dictionary<(int, int), List<int>> places, (int, int) pair, int word)
    {
        if (!places.TryGetValue(pair, out var list)) places[pair] = list = [];
        if (list.Count == 0 || list[^1] != word) list.Add(word);
    }
}
