using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Attune.Formats;

namespace Attune.Batching;

/// <summary>A tokenized split as the content of a file in the cache, from which its rows are read where they lie.</summary>
/// <remarks>
/// Number of texts (-1 where the end says it), kind of labels, their columns (64 bits each); the labels; then the blocks of rows: numbers of rows, tokens, tokens with a
/// segment (all or 0) in 64 bits each, offsets, ids and segments in 32 bits each. At the end -1, the texts cut and, where rows are windows of texts,
/// the number of texts and one more (else 0) in 64 bits each, and then so many numbers of 32 bits: the first row of each text. Each part is filled
/// up to 8 bytes. So a split can be written as it is tokenized.
/// </remarks>
internal static class TokenFile
{
    private const int Numbers = 3;
    private const long NoLabels = 0, Classes = 1, Several = 2, Targets = 3, End = -1, AtTheEnd = -1;

    /// <summary>Hands the content of the file to what writes it.</summary>
    /// <param name="texts">Number of all texts; null where it is known at the end alone, by the first row of each. Then there are no labels.</param>
    /// <param name="labels">Their labels, or null.</param>
    /// <param name="blocks">The rows, each block taken when the former has been written.</param>
    /// <param name="end">Asked behind the last block: how many texts have been cut, and where rows are windows of texts, the first of each and the number of all.</param>
    /// <param name="write">Takes the bytes, piece by piece.</param>
    internal static void Write(
        int? texts, Labels? labels, IEnumerable<PackedRows.Block> blocks, Func<(int Cut, int[]? TextStarts)> end, Action<ReadOnlySpan<byte>> write)
    {
        var (kind, columns) = labels switch
        {
            null => (NoLabels, 0),
            ClassLabels => (Classes, 1),
            MultiLabels several => (Several, several.Columns),
            RegressionTargets targets => (Targets, targets.Columns),
            _ => throw new NotSupportedException($"labels of type {labels.GetType().Name}"),
        };
        Put<long>([texts ?? AtTheEnd, kind, columns], write);
        Put(labels is null ? [] : labels.Bytes, write);
        foreach (var block in blocks)
        {
            Put<long>([block.Count, block.Ids.Length, block.Types.Length], write);
            Put(block.Offsets.Span, write);
            Put(block.Ids.Span, write);
            Put(block.Types.Span, write);
        }
        var (cut, starts) = end();
        Put<long>([End, cut, starts?.Length ?? 0], write);
        Put<int>(starts, write);
    }

    /// <summary>Shows the rows of a file; null where it does not hold what it says.</summary>
    /// <param name="file">Stays mapped as long as the rows are used.</param>
    /// <param name="at">Where the content begins; a multiple of 8.</param>
    internal static EncodedTexts? Read(MappedFile file, long at)
    {
        if (ReadNumbers(file, ref at) is not var (texts, kind, columns) || texts is < AtTheEnd or >= int.MaxValue || (texts == AtTheEnd && kind != NoLabels) ||
            columns is < 0 or > int.MaxValue || (kind is Several or Targets && columns == 0)) return null;
        var labelBytes = kind switch { NoLabels => 0, Classes => sizeof(long), Several or Targets => columns * sizeof(float), _ => -1 } * (Int128)texts;
        if (labelBytes < 0 || labelBytes > file.Length - at) return null;
        Labels? labels = kind switch
        {
            Classes => new ClassLabels(file.Values<long>(at, (int)texts).ToArray()),
            Several => new MultiLabels(file.Values<float>(at, checked((int)(texts * columns))).ToArray(), (int)columns),
            Targets => new RegressionTargets(file.Values<float>(at, checked((int)(texts * columns))).ToArray(), (int)columns),
            _ => null,
        };
        at += ((long)labelBytes + 7) / 8 * 8;
        var blocks = new List<PackedRows.Block>();
        while (ReadNumbers(file, ref at) is var (count, tokens, types))
        {
            if (count == End) return ReadEnd(file, at, texts, labels, blocks, cut: tokens, starts: types);
            if (ReadBlock(file, ref at, count, tokens, types) is not { } block) return null;
            blocks.Add(block);
        }
        return null;
    }

    private static EncodedTexts? ReadEnd(MappedFile file, long at, long texts, Labels? labels, List<PackedRows.Block> blocks, long cut, long starts)
    {
        if (texts == AtTheEnd) texts = starts - 1;
        var rows = blocks.Sum(block => (long)block.Count);
        if (texts is < 0 or >= int.MaxValue || cut < 0 || cut > texts || rows > int.MaxValue) return null;
        if (starts == 0) return at == file.Length && rows == texts ? EncodedTexts.Of(new PackedRows(blocks), labels, null, (int)cut) : null;
        if (starts != texts + 1 || file.Length - at != Padded(starts)) return null;
        var textStarts = file.Values<int>(at, (int)starts).ToArray();
        return TokenizedDataset.AreStarts(textStarts, (int)rows) ? EncodedTexts.Of(new PackedRows(blocks), labels, textStarts, (int)cut) : null;
    }

    private static (long, long, long)? ReadNumbers(MappedFile file, ref long at)
    {
        if (file.Length - at < Numbers * sizeof(long)) return null;
        var numbers = file.Values<long>(at, Numbers);
        at += Numbers * sizeof(long);
        return (numbers[0], numbers[1], numbers[2]);
    }

    private static PackedRows.Block? ReadBlock(MappedFile file, ref long at, long rows, long tokens, long types)
    {
        if (rows is < 0 or >= int.MaxValue || tokens is < 0 or > int.MaxValue || (types != 0 && types != tokens) ||
            file.Length - at < Padded(rows + 1) + Padded(tokens) + Padded(types)) return null;
        var offsets = new MappedIntegers(file, at, (int)rows + 1);
        var ids = new MappedIntegers(file, at += Padded(rows + 1), (int)tokens);
        var segments = new MappedIntegers(file, at += Padded(tokens), (int)types);
        at += Padded(types);
        return AreInOrder(offsets.GetSpan(), (int)tokens) ? new PackedRows.Block(ids.Memory, segments.Memory, offsets.Memory) : null;
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
