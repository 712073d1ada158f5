using System.Text;

namespace Attune.Formats;

/// <summary>The order of strings in Python and Rust: by code points, which is also that of their UTF-8 bytes.</summary>
/// <remarks>UTF-16, and so <see cref="StringComparer.Ordinal"/>, puts U+10000 and above before U+E000.</remarks>
internal sealed class CodePointOrder : IComparer<string>
{
    /// <summary>The one instance.</summary>
    internal static readonly CodePointOrder Instance = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y!));
}
