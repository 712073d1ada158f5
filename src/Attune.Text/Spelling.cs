namespace Attune;

/// <summary>The word that was probably meant.</summary>
internal static class Spelling
{
    /// <summary><c> Did you mean "…"?</c> with the nearest word, or nothing where none is near.</summary>
    internal static string DidYouMean(string word, IEnumerable<string> words)
    {
        var nearest = words.MinBy(other => Distance(word, other));
        return nearest is not null && Distance(word, nearest) <= Math.Max(2, word.Length / 3) ? $" Did you mean \"{nearest}\"?" : "";
    }

    /// <summary>Insertions, deletions and replacements that turn one word into the other (Levenshtein, 1966).</summary>
    internal static int Distance(string first, string second)
    {
        var costs = Enumerable.Range(0, second.Length + 1).ToArray();
        for (var i = 0; i < first.Length; i++)
        {
            var diagonal = costs[0];
            costs[0] = i + 1;
            for (var j = 0; j < second.Length; j++)
            {
                var replaced = diagonal + (first[i] == second[j] ? 0 : 1);
                diagonal = costs[j + 1];
                costs[j + 1] = Math.Min(replaced, Math.Min(costs[j], costs[j + 1]) + 1);
            }
        }
        return costs[^1];
    }
}
