using System.Collections;
using Attune.Tokenization;

namespace Attune.Batching;

/// <summary>Rows of tokens that lie one after the other in one or more blocks, each shown where it lies.</summary>
internal sealed class PackedRows : IReadOnlyList<TokenizedRow>
{
    private readonly int[] _starts;                                         // of each block the number of its first row

    internal PackedRows(IReadOnlyList<Block> blocks)
    {
        (Blocks, _starts) = (blocks, new int[blocks.Count]);
        foreach (var (i, block) in blocks.Index())
        {
            _starts[i] = Count;
            Count = checked(Count + block.Count);
        }
    }

    internal IReadOnlyList<Block> Blocks { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public TokenizedRow this[int index]
    {
        get
        {
            var block = Blocks.Count == 1 ? 0 : Array.BinarySearch(_starts, index);
            if (block < 0) block = ~block - 1;
            return Blocks[block].Row(index - _starts[block]);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<TokenizedRow> GetEnumerator()
    {
        foreach (var block in Blocks)
            for (var row = 0; row < block.Count; row++) yield return block.Row(row);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Rows in one piece of memory; at least one.</summary>
    /// <param name="Ids">Ids of all rows.</param>
    /// <param name="Types">A segment for each id; empty where all are 0.</param>
    /// <param name="Offsets">Row i is at Offsets[i] up to Offsets[i + 1].</param>
    internal sealed record Block(ReadOnlyMemory<int> Ids, ReadOnlyMemory<int> Types, ReadOnlyMemory<int> Offsets)
    {
        internal Block(PackedEncodings encodings) : this(encodings.Ids, encodings.TypeIds.AsMemory(), encodings.Offsets)
        {
        }

        internal int Count => Offsets.Length - 1;

        internal TokenizedRow Row(int index)
        {
            var bounds = Offsets.Span.Slice(index, 2);
            var range = bounds[0]..bounds[1];
            return new TokenizedRow(Ids[range], Types.IsEmpty ? Types : Types[range]);
        }
    }
}
