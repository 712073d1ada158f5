namespace Attune.Training;

/// <summary>Finds what a misspelled name was meant to be.</summary>
public static class Spelling
{
    /// <summary>The name that takes the fewest typing errors (letters added, left out, wrong or swapped); null where none is near.</summary>
    public static string? Nearest(string typed, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(typed);
        var (nearest, least) = names.Select(name => (name, Distance(typed, name))).DefaultIfEmpty().MinBy(candidate => candidate.Item2);
        return nearest is not null && least <= Math.Max(2, nearest.Length / 4) ? nearest : null;
    }

    // Damerau and Levenshtein, in the variant that swaps neighbours only once.
    private static int Distance(string a, string b)
    {
        var cost = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }
                var change = a[i - 1] == b[j - 1] ? 0 : 1;
                cost[i, j] = Math.Min(Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1, cost[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        return cost[a.Length, b.Length];
    }
}
