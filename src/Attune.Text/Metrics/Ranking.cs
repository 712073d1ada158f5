namespace Attune.Metrics;

/// <summary>How well scores put the rows of a class before the others; all as scikit-learn defines them.</summary>
public static class Ranking
{
    /// <summary>Area under the ROC curve: the chance that a positive row scores above a negative one, equal scores counting half.</summary>
    /// <param name="positive">Whether the row is of the class.</param>
    /// <param name="scores">The higher, the more likely.</param>
    /// <returns>0 to 1; not a number where all rows are of one kind (scikit-learn raises there).</returns>
    public static double RocAuc(ReadOnlySpan<bool> positive, ReadOnlySpan<double> scores)
    {
        double below = 0, area = 0, positives = 0;
        foreach (var (hits, misses) in FromTheTop(positive, scores))
        {
            area += misses * (positives + hits / 2.0);
            positives += hits;
            below += misses;
        }
        return area / (positives * below);
    }

    /// <summary>Average precision: mean of the precision over the steps of recall, without interpolation; 0 without a positive row.</summary>
    /// <param name="positive">Whether the row is of the class.</param>
    /// <param name="scores">The higher, the more likely.</param>
    public static double AveragePrecision(ReadOnlySpan<bool> positive, ReadOnlySpan<double> scores)
    {
        double positives = 0, seen = 0, sum = 0;
        foreach (var (hits, misses) in FromTheTop(positive, scores))
        {
            positives += hits;
            seen += hits + misses;
            sum += hits * positives / seen;
        }
        return positives == 0 ? 0 : sum / positives;
    }

    /// <summary>Mean of a score over the columns, each against all others (one versus rest).</summary>
    /// <param name="score"><see cref="RocAuc"/> or <see cref="AveragePrecision"/>.</param>
    /// <param name="positive">Rows × columns, row-major: whether the row has the label.</param>
    /// <param name="scores">Rows × columns, row-major.</param>
    /// <param name="columns">Number of labels.</param>
    /// <param name="averaging">Micro takes all cells for one column; macro; weighted by the positive rows.</param>
    public static double Average(
        RankingScore score, ReadOnlySpan<bool> positive, ReadOnlySpan<double> scores, int columns, Averaging averaging)
    {
        ArgumentNullException.ThrowIfNull(score);
        if (averaging == Averaging.Samples) throw new ArgumentOutOfRangeException(nameof(averaging));
        if (averaging == Averaging.Micro) return score(positive, scores);
        double sum = 0, weights = 0;
        for (var column = 0; column < columns; column++)
        {
            var (kind, values) = (Column(positive, columns, column), Column(scores, columns, column));
            var weight = averaging == Averaging.Weighted ? kind.Count(true) : 1;
            sum += weight * score(kind, values);
            weights += weight;
        }
        return sum / weights;
    }

    /// <summary>ROC AUC of several classes as the mean over all pairs of them (one versus one; Hand and Till, 2001).</summary>
    /// <param name="labels">True class of each row.</param>
    /// <param name="probabilities">Rows × classes, row-major.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="weighted">Whether a pair counts by its share of rows; else all alike.</param>
    /// <returns>0 to 1; not a number where a class has no row.</returns>
    public static double RocAucOneVersusOne(
        ReadOnlySpan<int> labels, ReadOnlySpan<double> probabilities, int classes, bool weighted = false)
    {
        double sum = 0, weights = 0;
        for (var first = 0; first < classes; first++)
            for (var second = first + 1; second < classes; second++)
            {
                List<bool> isFirst = [], isSecond = [];
                List<double> firstScores = [], secondScores = [];
                for (var row = 0; row < labels.Length; row++)
                {
                    if (labels[row] != first && labels[row] != second) continue;
                    isFirst.Add(labels[row] == first);
                    isSecond.Add(labels[row] == second);
                    firstScores.Add(probabilities[row * classes + first]);
                    secondScores.Add(probabilities[row * classes + second]);
                }
                var weight = weighted ? isFirst.Count / (double)labels.Length : 1;
                sum += weight * (RocAuc([.. isFirst], [.. firstScores]) + RocAuc([.. isSecond], [.. secondScores])) / 2;
                weights += weight;
            }
        return sum / weights;
    }

    /// <summary>Positive and other rows for each distinct score, from the highest down.</summary>
    private static List<(int Hits, int Misses)> FromTheTop(ReadOnlySpan<bool> positive, ReadOnlySpan<double> scores)
    {
        if (positive.Length != scores.Length)
            throw new ArgumentException($"There are {positive.Length} labels and {scores.Length} scores.", nameof(scores));
        var (sorted, kinds) = (scores.ToArray(), positive.ToArray());
        Array.Sort(sorted, kinds);
        var steps = new List<(int, int)>();
        for (var end = sorted.Length; end > 0;)
        {
            var start = end - 1;
            while (start > 0 && sorted[start - 1].Equals(sorted[end - 1])) start--;
            var hits = kinds.AsSpan(start, end - start).Count(true);
            steps.Add((hits, end - start - hits));
            end = start;
        }
        return steps;
    }

    private static T[] Column<T>(ReadOnlySpan<T> cells, int columns, int column)
    {
        var values = new T[cells.Length / columns];
        for (var row = 0; row < values.Length; row++) values[row] = cells[row * columns + column];
        return values;
    }
}

/// <summary>A score of one column: <see cref="Ranking.RocAuc"/> or <see cref="Ranking.AveragePrecision"/>.</summary>
public delegate double RankingScore(ReadOnlySpan<bool> positive, ReadOnlySpan<double> scores);
