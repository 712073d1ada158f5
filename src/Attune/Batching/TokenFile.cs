using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Attune.Formats;

namespace Attune.Batching;

/// <summary>A tokenized split as the content of a file in the cache, from which its rows are read where they lie.</summary>
/// <remarks>
/// Numbers of rows, tokens, tokens with a segment (all or 0), the kind of labels, their columns, the rows cut (64 bits each); then offsets,
/// ids and segments (32 bits each, each part filled up to 8 bytes); then the labels.
/// </remarks>
internal static class TokenFile
{
    private const int Numbers = 6;
    private const long NoLabels = 0, Classes = 1, Several = 2, Targets = 3;

    /// <summary>Hands the content of the file to what writes it.</summary>
    /// <param name="texts">As <see cref="EncodedTexts.Of"/> gives it.</param>
    /// <param name="write">Takes the bytes, piece by piece.</param>
    internal static void Write(EncodedTexts texts, Action<ReadOnlySpan<byte>> write)
    {
        var (rows, labels) = ((PackedRows)texts.Dataset.Rows, texts.Dataset.Labels);
        var (kind, columns) = labels switch
        {
            null => (NoLabels, 0),
            ClassLabels => (Classes, 1),
            MultiLabels several => (Several, several.Columns),
            RegressionTargets targets => (Targets, targets.Columns),
            _ => throw new NotSupportedException($"labels of type {labels.GetType().Name}"),
        };
        Put<long>([rows.Count, rows.Ids.Length, rows.Types.Length, kind, columns, texts.RowsCut], write);
        Put(rows.Offsets, write);
        Put(rows.Ids, write);
        Put(rows.Types, write);
        Put(labels is null ? [] : labels.Bytes, write);
    }

    /// <summary>Shows the rows of a file; null where it does not hold what it says.</summary>
    /// <param name="file">Stays mapped as long as the rows are used.</param>
    /// <param name="at">Where the content begins; a multiple of 8.</param>
    internal static EncodedTexts? Read(MappedFile file, long at)
    {
        if (file.Length - at < Numbers * sizeof(long)) return null;
        var numbers = file.Values<long>(at, Numbers);
        var (rows, tokens, types, kind, columns, cut) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
        if (rows is < 0 or >= int.MaxValue || tokens is < 0 or > int.MaxValue || (types != 0 && types != tokens) || cut < 0 || cut > rows ||
            columns is < 0 or > int.MaxValue || (kind is Several or Targets && columns == 0)) return null;
        var labelBytes = kind switch { NoLabels => 0, Classes => sizeof(long), Several or Targets => columns * sizeof(float), _ => -1 } * (Int128)rows;
        at += Numbers * sizeof(long);
        if (labelBytes < 0 || file.Length - at != Padded(rows + 1) + Padded(tokens) + Padded(types) + (labelBytes + 7) / 8 * 8) return null;
        var offsets = new MappedIntegers(file, at, (int)rows + 1);
        var ids = new MappedIntegers(file, at += Padded(rows + 1), (int)tokens);
        var segments = new MappedIntegers(file, at += Padded(tokens), (int)types);
        at += Padded(types);
        if (!AreInOrder(offsets.GetSpan(), (int)tokens)) return null;
        Labels? labels = kind switch
        {
            Classes => new ClassLabels(file.Values<long>(at, (int)rows).ToArray()),
            Several => new MultiLabels(file.Values<float>(at, checked((int)(rows * columns))).ToArray(), (int)columns),
            Targets => new RegressionTargets(file.Values<float>(at, checked((int)(rows * columns))).ToArray(), (int)columns),
            _ => null,
        };
        return new EncodedTexts(new TokenizedDataset(new PackedRows(ids.Memory, segments.Memory, offsets.Memory), labels), (int)cut);
    }

    private static bool AreInOrder(ReadOnlySpan<int> offsets, int tokens)
    {
        var before = 0;
        foreach (var offset in offsets)
        {
            if (offset < before) return false;
            before = offset;
        }
        return offsets[0] == 0 && offsets[^1] == tokens;
    }

    private static long Padded(long integers) => (integers + 1) / 2 * sizeof(long);

    private static void Put<T>(ReadOnlySpan<T> values, Action<ReadOnlySpan<byte>> write) where T : unmanaged
    {
        const int block = 1 << 18;                                          // a span counts its bytes in 31 bits: not all at once
        for (var rest = values; rest.Length > 0; rest = rest[Math.Min(block, rest.Length)..])
            write(MemoryMarshal.AsBytes(rest[..Math.Min(block, rest.Length)]));
        var ending = (int)(-(long)values.Length * Unsafe.SizeOf<T>() & 7);
        if (ending > 0) write(stackalloc byte[ending]);
    }
}
