using System.Text;
using System.Text.RegularExpressions;
using Attune.Formats;

namespace Attune.Datasets;

/// <summary>Patterns of file names as data set cards have them: * within a folder, ** across folders, ? and [...] for one character.</summary>
internal static class FilePattern
{
    /// <summary>Makes a test of paths with / between their parts. Takes time in proportion to the path, whatever the pattern.</summary>
    /// <exception cref="AttuneException">It is no pattern.</exception>
    internal static Func<string, bool> Of(string pattern)
    {
        var expression = new StringBuilder("^");
        for (var at = 0; at < pattern.Length;)
        {
            var (length, meaning) = Next(pattern.AsSpan(at), at == 0 || pattern[at - 1] == '/');
            expression.Append(meaning);
            at += length;
        }
        try
        {
            return new Regex(expression.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant).IsMatch;
        }
        catch (ArgumentException e)
        {
            throw new AttuneException($"The pattern {Shown.Of(pattern)} of data files is not possible; write it in {DatasetCard.FileName} as the shell has them, such as data/*.csv.", e);
        }
    }

    private static (int Length, string Meaning) Next(ReadOnlySpan<char> rest, bool isAtStart)
    {
        if (isAtStart && rest.StartsWith("**/")) return (3, "(?:.*/)?");
        if (rest.StartsWith("**")) return (2, ".*");
        if (rest[0] == '*') return (1, "[^/]*");
        if (rest[0] == '?') return (1, "[^/]");
        if (rest[0] != '[' || rest.Length < 3 || rest[2..].IndexOf(']') is not (>= 0 and var inside)) return (1, Regex.Escape(rest[..1].ToString()));
        var set = rest[1..(inside + 2)].ToString().Replace("\\", @"\\", StringComparison.Ordinal).Replace("[", @"\[", StringComparison.Ordinal);
        return (inside + 3, set[0] == '!' ? $"[^/{set[1..]}]" : $"[{(set[0] == '^' ? "\\" : "")}{set}]");
    }
}
