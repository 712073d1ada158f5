using Attune.Datasets;

namespace Attune.Inspection;

/// <summary>
/// When texts count as the same. To the letter: equal without the white space at both ends. But for case: equal when besides each letter is replaced by its
/// upper case (Unicode's simple mapping, no language's own). Of pairs both texts must be the same, in their order.
/// </summary>
internal static class TextKey
{
    /// <summary>Of rows whose texts are all empty, which are told of as such and not as duplicates.</summary>
    internal const ulong OfEmpty = 0;

    [ThreadStatic]
    private static char[]? _scratch;

    /// <summary>The same for texts that are the same but for case.</summary>
    internal static ulong Of(ReadOnlySpan<char> text, string? pair)
    {
        var first = text.Trim();
        var second = pair.AsSpan().Trim();
        if (first.IsEmpty && second.IsEmpty) return OfEmpty;
        var hash = TextHash.Add(TextHash.Start, Folded(first));
        if (pair is not null) hash = TextHash.Add(hash, Folded(second));
        return hash == OfEmpty ? 1 : hash;
    }

    /// <summary>Equal for texts that are the same to the letter.</summary>
    internal static string Exact(string text, string? pair) => pair is null ? text.Trim() : Joined(text.Trim(), pair.Trim());

    /// <summary>Equal for texts that are the same but for case.</summary>
    internal static string Folded(string exact) => exact.ToUpperInvariant();

    // The length of the first keeps "a" and "b c" apart from "a b" and "c", whatever stands between.
    private static string Joined(string first, string second) => $"{first.Length}:{first}{second}";

    private static ReadOnlySpan<char> Folded(ReadOnlySpan<char> text)
    {
        if (_scratch is null || _scratch.Length < text.Length) _scratch = new char[Math.Max(1024, text.Length)];
        return _scratch.AsSpan(0, text.ToUpperInvariant(_scratch));
    }
}
