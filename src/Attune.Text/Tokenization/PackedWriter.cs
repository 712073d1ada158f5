namespace Attune.Tokenization;

/// <summary>Collects rows of tokens one after the other.</summary>
internal sealed class PackedWriter(int rows, bool pairs)
{
    private readonly int[] _offsets = new int[rows + 1];
    private int[] _ids = new int[Math.Max(64, 32 * rows)];
    private int[] _types = pairs ? new int[Math.Max(64, 32 * rows)] : [];
    private int _rows;
    private int _count;

    /// <summary>Appends the first tokens of one or two sequences, with the special tokens of the template.</summary>
    internal void Add(TemplatePart[] template, ReadOnlySpan<int> first, ReadOnlySpan<int> second, bool addSpecialTokens)
    {
        foreach (var part in template)
        {
            if (part.Sequence < 0 && !addSpecialTokens) continue;
            Append(part.Sequence == 0 ? first : part.Sequence == 1 ? second : part.Ids, part.TypeId);
        }
        _offsets[++_rows] = _count;
    }

    internal PackedEncodings Finish() => new(_ids[.._count], pairs ? _types[.._count] : null, _offsets);

    /// <summary>Puts the rows of several parts one after the other.</summary>
    internal static PackedEncodings Join(IReadOnlyList<PackedEncodings> parts)
    {
        var ids = new int[parts.Sum(part => part.Ids.Length)];
        var types = parts[0].TypeIds is null ? null : new int[ids.Length];
        var offsets = new int[parts.Sum(part => part.Count) + 1];
        var (token, row) = (0, 0);
        foreach (var part in parts)
        {
            part.Ids.CopyTo(ids, token);
            part.TypeIds?.CopyTo(types!, token);
            for (var i = 0; i < part.Count; i++) offsets[row + i + 1] = token + part.Offsets[i + 1];
            (token, row) = (token + part.Ids.Length, row + part.Count);
        }
        return new PackedEncodings(ids, types, offsets);
    }

    private void Append(ReadOnlySpan<int> ids, int type)
    {
        if (_count + ids.Length > _ids.Length)
        {
            var length = Math.Max(2 * _ids.Length, _count + ids.Length);
            Array.Resize(ref _ids, length);
            if (pairs) Array.Resize(ref _types, length);
        }
        ids.CopyTo(_ids.AsSpan(_count));
        if (pairs) _types.AsSpan(_count, ids.Length).Fill(type);
        _count += ids.Length;
    }
}
