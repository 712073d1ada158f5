using Attune.Datasets;
using Attune.Kernels;

namespace Attune.Batching;

/// <summary>Orders in which the rows of rare classes come more often than the data set has them. Pure functions of seed and epoch.</summary>
/// <remarks>A row with several labels belongs to each of their classes; rows with none are a class of their own.</remarks>
internal sealed class ClassBalance
{
    private readonly int[][] _classes;                                     // the rows of each class that has any
    private readonly double[] _sums;                                       // of the rows' weights, up to and with each row
    private readonly int _rows;

    /// <summary>Sorts the rows by their classes.</summary>
    /// <exception cref="AttuneException">The labels are numbers, or no row has a label.</exception>
    internal ClassBalance(Labels labels)
    {
        _rows = labels.Rows;
        var classes = labels switch
        {
            ClassLabels one => Enumerable.Range(0, _rows).Where(row => one.Values[row] != ClassLabels.Ignored).ToLookup(row => one.Values[row]),
            MultiLabels several => OfSeveral(several),
            _ => throw new AttuneException("sampling is for classes, but the labels are numbers; leave it out."),
        };
        _classes = [.. classes.OrderBy(rows => rows.Key).Select(rows => rows.ToArray())];
        if (_classes.Length == 0) throw new AttuneException("sampling needs rows with a label, but there is none; leave it out.");
        _sums = Sums(_classes, _rows);
    }

    /// <summary>
    /// As many rows as the data set has, each class as often as every other to one row: those of a rare class come several times, those of a
    /// frequent one come in turn over the epochs. Each class goes through all its rows before one comes again.
    /// </summary>
    internal int[] Balanced(long seed, int epoch)
    {
        var chosen = new int[_rows];
        var at = 0;
        for (var number = 0; number < _classes.Length; number++)
        {
            // An endless list: all rows of the class in one random order after the other.
            var rows = _classes[number];
            int[]? pass = null;
            for (var place = Before(epoch, number); place < Before(epoch + 1L, number); place++)
            {
                if (pass is null || place % rows.Length == 0) pass = SeededOrder.Permutation(rows.Length, Key(seed, number, place / rows.Length));
                chosen[at++] = rows[pass[place % rows.Length]];
            }
        }
        return Shuffled(chosen, seed, epoch);
    }

    /// <summary>As many rows as the data set has, each drawn by itself: every class is as likely as every other, every row of a class too.</summary>
    internal int[] Weighted(long seed, int epoch)
    {
        var chosen = new int[_rows];
        for (var i = 0; i < chosen.Length; i++)
        {
            var (high, low, _, _) = Philox.Block(unchecked((ulong)seed), (uint)i, (uint)epoch, 0, Purpose);
            var draw = (((ulong)high << 32 | low) >> 11) * (1.0 / (1L << 53)) * _sums[^1];
            var found = Array.BinarySearch(_sums, draw);
            // The first row whose sum lies above the draw; rows of no weight have the sum of the one before.
            for (found = found < 0 ? ~found : found; found < _rows - 1 && _sums[found] <= draw;) found++;
            chosen[i] = found;
        }
        return chosen;
    }

    /// <summary>Which of Philox's uses this is; dropout's own lie below.</summary>
    private const uint Purpose = 0x5A3B1E00;

    /// <summary>How many of a class's places come before an epoch: for every number of places together they add up to it (Hermite's identity).</summary>
    private long Before(long epoch, int number) => (epoch * _rows + number) / _classes.Length;

    private static int[] Shuffled(int[] rows, long seed, int epoch)
    {
        SeededOrder.Shuffle(rows, Key(seed, -1, epoch));
        return rows;
    }

    private static ulong Key(long seed, int number, long pass)
    {
        var (a, b, _, _) = Philox.Block(unchecked((ulong)seed), unchecked((uint)number), unchecked((uint)pass), 1, Purpose);
        return (ulong)a << 32 | b;
    }

    private static ILookup<long, int> OfSeveral(MultiLabels labels)
    {
        var pairs = new List<(long Class, int Row)>();
        for (var row = 0; row < labels.Rows; row++)
        {
            var before = pairs.Count;
            for (var label = 0; label < labels.Columns; label++)
                if (labels.Values[row * labels.Columns + label] > 0.5f) pairs.Add((label, row));
            if (pairs.Count == before) pairs.Add((labels.Columns, row));
        }
        return pairs.ToLookup(pair => pair.Class, pair => pair.Row);
    }

    private static double[] Sums(int[][] classes, int rows)
    {
        var sums = new double[rows];
        foreach (var members in classes)
            foreach (var row in members) sums[row] += 1.0 / members.Length;
        for (var row = 1; row < rows; row++) sums[row] += sums[row - 1];
        return sums;
    }
}
