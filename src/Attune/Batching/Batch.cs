using Attune.Kernels;

namespace Attune.Batching;

/// <summary>
/// Rows one after the other without padding: what a model reads. A padded batch is packed by <see cref="FromPadded"/>; the results are the same.
/// </summary>
public sealed class Batch
{
    private readonly Func<Batch>? _whole;

    private Batch(
        int[] inputIds, int[] tokenTypeIds, int[] positionIds, int[] offsets, bool[]? firstIsHidden, Labels? labels, int firstRowNumber,
        bool[]? hidden = null, Func<Batch>? whole = null)
    {
        (InputIds, TokenTypeIds, PositionIds, Labels, _whole) = (inputIds, tokenTypeIds, positionIds, labels, whole);
        Sequences = new Sequences(offsets, firstIsHidden, firstRowNumber, positionIds, hidden);
        if (labels is not null && labels.Rows != Rows)
            throw new ArgumentException($"the batch has {Rows} rows and {labels.Rows} labels", nameof(labels));
    }

    /// <summary>Ids of all tokens, T.</summary>
    public int[] InputIds { get; }

    /// <summary>Segment of each token, T.</summary>
    public int[] TokenTypeIds { get; }

    /// <summary>Column of each token in the padded batch, T.</summary>
    public int[] PositionIds { get; }

    /// <summary>First token of each row, and T at the end.</summary>
    public ReadOnlySpan<int> Offsets => Sequences.Offsets;

    /// <summary>Number of rows.</summary>
    public int Rows => Sequences.Rows;

    /// <summary>Number of real tokens, T.</summary>
    public int Tokens => InputIds.Length;

    /// <summary>What the rows should come out as, or null.</summary>
    public Labels? Labels { get; }

    internal Sequences Sequences { get; }

    /// <summary>
    /// The same with all columns of each row whose first one the mask hides, padding too: for models in which what the head reads there depends on
    /// them. No batch has such rows but a padded one.
    /// </summary>
    internal Batch Whole => _whole?.Invoke() ?? this;

    /// <summary>The ids of the padded batch that the rows come from; null where they were packed already.</summary>
    private int[][]? Padded { get; init; }

    /// <summary>
    /// Positions as RoBERTa counts them: that of padding is the padding's id, and the ids that are no padding count on from there, T. A token that the mask
    /// hides counts where its id is another.
    /// </summary>
    internal int[] PositionsPast(int padding)
    {
        var positions = new int[Tokens];
        for (var row = 0; row < Rows; row++)
        {
            var (from, to) = (Offsets[row], Offsets[row + 1]);
            ReadOnlySpan<int> ids = Padded is { } padded ? padded[row] : InputIds.AsSpan(from, to - from);
            for (int column = 0, count = 0, token = from; token < to; column++)
            {
                if (ids[column] != padding) count++;
                if (PositionIds[token] == column) positions[token++] = ids[column] == padding ? padding : padding + count;
            }
        }
        return positions;
    }

    /// <summary>Packs rows.</summary>
    /// <param name="rows">At least one, each with at least one token.</param>
    /// <param name="labels">One for each row, or null.</param>
    /// <param name="firstRowNumber">Number of the first row within its optimizer update. Dropout is keyed by it, so that cutting an update
    /// into micro-batches does not change the result.</param>
    public static Batch Pack(IReadOnlyList<TokenizedRow> rows, Labels? labels = null, int firstRowNumber = 0)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count, nameof(rows));
        var offsets = new int[rows.Count + 1];
        for (var row = 0; row < rows.Count; row++)
        {
            if (rows[row].Length == 0) throw new ArgumentException($"row {row} has no token", nameof(rows));
            offsets[row + 1] = checked(offsets[row] + rows[row].Length);
        }
        var (ids, types, positions) = (new int[offsets[^1]], new int[offsets[^1]], new int[offsets[^1]]);
        for (var row = 0; row < rows.Count; row++)
        {
            rows[row].InputIds.CopyTo(ids.AsSpan(offsets[row]));
            rows[row].TokenTypeIds.CopyTo(types.AsSpan(offsets[row]));
            for (var i = 0; i < rows[row].Length; i++) positions[offsets[row] + i] = i;
        }
        return new Batch(ids, types, positions, offsets, null, labels, firstRowNumber);
    }

    /// <summary>Packs a padded batch as transformers makes it: tokens whose mask is 0 are left out.</summary>
    /// <param name="inputIds">(rows, columns); at least one row.</param>
    /// <param name="attentionMask">(rows, columns), 1 for real tokens; null where all are real. Holes and padding on the left are allowed.</param>
    /// <param name="tokenTypeIds">(rows, columns); null where all are 0.</param>
    /// <param name="labels">One for each row, or null.</param>
    /// <param name="firstRowNumber">As in <see cref="Pack"/>.</param>
    /// <exception cref="ArgumentException">There is no row, the shapes differ, or a row's mask is 0 everywhere.</exception>
    public static Batch FromPadded(
        int[][] inputIds, int[][]? attentionMask = null, int[][]? tokenTypeIds = null, Labels? labels = null, int firstRowNumber = 0)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        ArgumentOutOfRangeException.ThrowIfZero(inputIds.Length, nameof(inputIds));
        RequireShape(inputIds, attentionMask, nameof(attentionMask));
        RequireShape(inputIds, tokenTypeIds, nameof(tokenTypeIds));
        return FromColumns(inputIds, attentionMask, tokenTypeIds, labels, firstRowNumber, isWhole: false);
    }

    private static Batch FromColumns(
        int[][] inputIds, int[][]? attentionMask, int[][]? tokenTypeIds, Labels? labels, int firstRowNumber, bool isWhole)
    {
        List<int> ids = [], types = [], positions = [], offsets = [0];
        List<bool> hiddenTokens = [];
        var hidden = new bool[inputIds.Length];
        for (var row = 0; row < inputIds.Length; row++)
        {
            var mask = attentionMask?[row];
            // The head reads column 0 also where the mask hides it: it stays as a query that nobody attends to.
            hidden[row] = mask is [0, ..];
            var keys = 0;
            for (var column = 0; column < inputIds[row].Length; column++)
            {
                var isKey = mask is null || mask[column] != 0;
                if (isKey) keys++;
                else if (column > 0 && !(isWhole && hidden[row])) continue;
                if (isWhole) hiddenTokens.Add(!isKey);
                ids.Add(inputIds[row][column]);
                types.Add(tokenTypeIds?[row][column] ?? 0);
                positions.Add(column);
            }
            if (keys == 0) throw new ArgumentException($"row {row} has no token that its attention mask shows", nameof(attentionMask));
            offsets.Add(ids.Count);
        }
        var isAnyHidden = hidden.Contains(true);
        return new Batch([.. ids], [.. types], [.. positions], [.. offsets], isAnyHidden && !isWhole ? hidden : null, labels, firstRowNumber,
            isWhole ? [.. hiddenTokens] : null,
            isAnyHidden && !isWhole ? () => FromColumns(inputIds, attentionMask, tokenTypeIds, labels, firstRowNumber, isWhole: true) : null)
        { Padded = inputIds };
    }

    private static void RequireShape(int[][] inputIds, int[][]? other, string name)
    {
        if (other is null) return;
        if (other.Length != inputIds.Length) throw new ArgumentException($"{other.Length} rows, but inputIds has {inputIds.Length}", name);
        for (var row = 0; row < other.Length; row++)
            if (other[row].Length != inputIds[row].Length)
                throw new ArgumentException($"row {row} has {other[row].Length} columns, but {inputIds[row].Length} in inputIds", name);
    }
}
