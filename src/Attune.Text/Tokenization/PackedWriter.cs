using System.Buffers;

namespace Attune.Tokenization;

/// <summary>Puts the rows of parts that several threads encode one after the other, in the order of the rows.</summary>
internal sealed class PackedWriter(int rows, bool pairs)
{
    private readonly int[] _offsets = new int[rows + 1];                    // first the lengths of the rows
    private readonly List<Part> _parts = [];

    /// <summary>Begins a part; several threads may be at it, each with a part of its own.</summary>
    /// <param name="firstRow">Number of its first row.</param>
    internal Part Begin(int firstRow)
    {
        var part = new Part(this, firstRow, pairs);
        lock (_parts) _parts.Add(part);
        return part;
    }

    /// <summary>All rows; the parts end with it.</summary>
    internal PackedEncodings Finish(int? threads)
    {
        for (var row = 0; row < rows; row++) _offsets[row + 1] = checked(_offsets[row] + _offsets[row + 1]);
        var ids = GC.AllocateUninitializedArray<int>(_offsets[rows]);
        var types = pairs ? GC.AllocateUninitializedArray<int>(ids.Length) : null;
        new RowParts(_parts.Count, part => _parts[part].Count).Run(threads, (from, to) =>
        {
            for (var part = from; part < to; part++) _parts[part].MoveTo(ids, types, _offsets[_parts[part].FirstRow]);
        });
        return new PackedEncodings(ids, types, _offsets);
    }

    /// <summary>Consecutive rows, in buffers that are used again.</summary>
    internal sealed class Part(PackedWriter owner, int firstRow, bool pairs)
    {
        private const int UsualTokens = 1 << 15;
        private int[] _ids = ArrayPool<int>.Shared.Rent(UsualTokens);
        private int[] _types = pairs ? ArrayPool<int>.Shared.Rent(UsualTokens) : [];
        private int _row = firstRow;

        internal int FirstRow { get; } = firstRow;

        internal int Count { get; private set; }

        /// <summary>Appends a row: the tokens of one or two sequences, with the special tokens of the template.</summary>
        internal void Add(TemplatePart[] template, ReadOnlySpan<int> first, ReadOnlySpan<int> second, bool addSpecialTokens)
        {
            var before = Count;
            foreach (var part in template)
            {
                if (part.Sequence < 0 && !addSpecialTokens) continue;
                Append(part.Sequence == 0 ? first : part.Sequence == 1 ? second : part.Ids, part.TypeId);
            }
            owner._offsets[++_row] = Count - before;
        }

        /// <summary>Copies the rows to where they belong and gives the buffers back.</summary>
        internal void MoveTo(int[] ids, int[]? types, int at)
        {
            _ids.AsSpan(0, Count).CopyTo(ids.AsSpan(at));
            ArrayPool<int>.Shared.Return(_ids);
            if (types is null) return;
            _types.AsSpan(0, Count).CopyTo(types.AsSpan(at));
            ArrayPool<int>.Shared.Return(_types);
        }

        private void Append(ReadOnlySpan<int> ids, int type)
        {
            if (Count + ids.Length > _ids.Length)
            {
                var length = checked(Math.Max(2 * _ids.Length, Count + ids.Length));
                _ids = Grown(_ids, length);
                if (pairs) _types = Grown(_types, length);
            }
            ids.CopyTo(_ids.AsSpan(Count));
            if (pairs) _types.AsSpan(Count, ids.Length).Fill(type);
            Count += ids.Length;
        }

        private int[] Grown(int[] former, int length)
        {
            var grown = ArrayPool<int>.Shared.Rent(length);
            former.AsSpan(0, Count).CopyTo(grown);
            ArrayPool<int>.Shared.Return(former);
            return grown;
        }
    }
}
