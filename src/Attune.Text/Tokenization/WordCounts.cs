using System.Collections.Concurrent;

namespace Attune.Tokenization;

/// <summary>How often each word stands in a text, counted on all cores.</summary>
internal sealed class WordCounts
{
    private const int LinesPerPart = 2048;

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _byChars;

    private WordCounts() => _byChars = _counts.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Counts a word once more.</summary>
    internal void Add(ReadOnlySpan<char> word) => _byChars[word] = _byChars.TryGetValue(word, out var count) ? count + 1 : 1;

    /// <summary>The words of lines and how often each is there, in ordinal order.</summary>
    /// <param name="lines">The text.</param>
    /// <param name="count">Cuts some lines into words and adds each; called on several threads, with counts of each one's own.</param>
    internal static List<KeyValuePair<string, long>> Of(IEnumerable<string> lines, Action<string[], WordCounts> count)
    {
        var parts = new ConcurrentBag<WordCounts>();
        Parallel.ForEach(
            lines.Chunk(LinesPerPart),
            () => new WordCounts(),
            (part, _, counts) =>
            {
                count(part, counts);
                return counts;
            },
            parts.Add);
        var all = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var part in parts)
            foreach (var (word, times) in part._counts) all[word] = all.GetValueOrDefault(word) + times;
        return [.. all.OrderBy(word => word.Key, StringComparer.Ordinal)];
    }
}
