namespace Attune.Training;

/// <summary>Some of many pieces of work that stand for all: as many small and large ones as there are, and what all would take by what these took.</summary>
internal static class SampledBatches
{
    /// <summary>Which pieces to measure: those in the middle of equal parts of all, from the smallest to the largest.</summary>
    /// <param name="sizes">Of all.</param>
    /// <param name="most">How many are wanted.</param>
    internal static int[] Choose(IReadOnlyList<long> sizes, int most)
    {
        int[] bySize = [.. Enumerable.Range(0, sizes.Count).OrderBy(piece => sizes[piece])];
        if (bySize.Length <= most) return bySize;
        return [.. Enumerable.Range(0, most).Select(part => bySize[(int)((part + 0.5) * bySize.Length / most)])];
    }

    /// <summary>
    /// The mean time of all pieces: that of the measured ones, moved along the line through their sizes and times (least squares) to the mean size of all.
    /// A line that falls, as noise makes one of pieces of one size, counts as level.
    /// </summary>
    internal static double MeanTime(IReadOnlyList<long> sizes, IReadOnlyList<int> measured, IReadOnlyList<double> seconds)
    {
        var (size, time) = (measured.Average(piece => (double)sizes[piece]), seconds.Average());
        var spread = measured.Sum(piece => (sizes[piece] - size) * (sizes[piece] - size));
        var slope = spread == 0 ? 0 : measured.Zip(seconds, (piece, one) => (sizes[piece] - size) * (one - time)).Sum() / spread;
        return time + Math.Max(0, slope) * (sizes.Average() - size);
    }
}
