using System.Text;

namespace Attune.Inspection;

/// <summary>Names of classes that are probably one name, spelled in two ways.</summary>
internal static class LabelSpelling
{
    private const int LeastLetters = 5, RareShare = 10;

    /// <summary>The pairs, the more frequent first.</summary>
    /// <param name="names">Of the classes.</param>
    /// <param name="rows">Of each class, in all splits.</param>
    internal static IEnumerable<(int First, int Second)> Of(IReadOnlyList<string> names, IReadOnlyList<long> rows)
    {
        var bare = names.Select(Bare).ToList();
        var firsts = new List<int>();                                       // of each spelling the name with the most rows
        foreach (var same in Enumerable.Range(0, names.Count).GroupBy(name => bare[name].Length == 0 ? names[name] : bare[name]))
        {
            var first = same.MaxBy(name => rows[name]);
            firsts.Add(first);
            foreach (var other in same)
                if (other != first) yield return (first, other);
        }
        // Two names one letter apart have a form in common when a letter is left out of one or of both: no name is compared with all others.
        var forms = new Dictionary<string, List<int>>();
        foreach (var name in firsts.Where(name => bare[name].Length >= LeastLetters - 1))
            foreach (var form in Enumerable.Range(0, bare[name].Length).Select(at => bare[name].Remove(at, 1)).Append(bare[name]).Distinct())
            {
                if (!forms.TryGetValue(form, out var with)) forms.Add(form, with = []);
                with.Add(name);
            }
        var seen = new HashSet<(int, int)>();
        foreach (var with in forms.Values)
            for (var i = 0; i < with.Count; i++)
                for (var j = i + 1; j < with.Count; j++)
                    if (seen.Add((with[i], with[j])) && IsMisspelled(with[i], with[j])) yield return rows[with[i]] >= rows[with[j]] ? (with[i], with[j]) : (with[j], with[i]);

        // A class of its own ("typical", "atypical") has rows of its own; a slip of the pen is rare.
        bool IsMisspelled(int one, int other)
        {
            var (first, second) = (bare[one], bare[other]);
            if (Math.Max(first.Length, second.Length) < LeastLetters || !DifferByLetters(first, second)) return false;
            return Math.Min(rows[one], rows[other]) * RareShare <= Math.Max(rows[one], rows[other]) && (Spelling.Distance(first, second) == 1 || AreSwapped(first, second));
        }
    }

    /// <summary>A name in lower case and its compatible form, without white space, underscores and hyphens between letters: "C" and "C++", "1" and "-1" stay apart.</summary>
    private static string Bare(string name)
    {
        var text = string.Concat(name.EnumerateRunes()).Normalize(NormalizationForm.FormKC);
        var bare = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var isHyphen = text[i] == '-' && i > 0 && i + 1 < text.Length && char.IsLetter(text[i - 1]) && char.IsLetter(text[i + 1]);
            if (!char.IsWhiteSpace(text[i]) && text[i] != '_' && !isHyphen) bare.Append(char.ToLowerInvariant(text[i]));
        }
        return bare.ToString();
    }

    /// <summary>"label 1" and "label 2" are meant to differ.</summary>
    private static bool DifferByLetters(string first, string second) =>
        string.Concat(first.Where(char.IsDigit)) == string.Concat(second.Where(char.IsDigit));

    private static bool AreSwapped(string first, string second)
    {
        if (first.Length != second.Length) return false;
        var at = 0;
        while (at < first.Length && first[at] == second[at]) at++;
        return at + 1 < first.Length && first[at] == second[at + 1] && first[at + 1] == second[at] && first.AsSpan(at + 2).SequenceEqual(second.AsSpan(at + 2));
    }
}
