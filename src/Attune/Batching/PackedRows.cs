using System.Collections;
using Attune.Tokenization;

namespace Attune.Batching;

/// <summary>Rows of tokens that lie one after the other, each shown where it lies.</summary>
/// <param name="ids">Ids of all rows.</param>
/// <param name="types">A segment for each id; empty where all are 0.</param>
/// <param name="offsets">Row i is at offsets[i] up to offsets[i + 1].</param>
internal sealed class PackedRows(ReadOnlyMemory<int> ids, ReadOnlyMemory<int> types, ReadOnlyMemory<int> offsets) : IReadOnlyList<TokenizedRow>
{
    internal PackedRows(PackedEncodings encodings) : this(encodings.Ids, encodings.TypeIds.AsMemory(), encodings.Offsets)
    {
    }

    /// <inheritdoc/>
    public int Count => offsets.Length - 1;

    /// <inheritdoc/>
    public TokenizedRow this[int index]
    {
        get
        {
            var bounds = offsets.Span.Slice(index, 2);
            var range = bounds[0]..bounds[1];
            return new TokenizedRow(ids[range], types.IsEmpty ? types : types[range]);
        }
    }

    internal ReadOnlySpan<int> Ids => ids.Span;

    internal ReadOnlySpan<int> Types => types.Span;

    internal ReadOnlySpan<int> Offsets => offsets.Span;

    /// <inheritdoc/>
    public IEnumerator<TokenizedRow> GetEnumerator()
    {
        for (var row = 0; row < Count; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
