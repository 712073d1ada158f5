namespace Attune.Metrics;

/// <summary>How the scores of several classes become one.</summary>
public enum Averaging
{
    /// <summary>Counts of all classes are summed before dividing.</summary>
    Micro,
    /// <summary>Plain mean over the classes.</summary>
    Macro,
    /// <summary>Mean over the classes, each weighted by its number of true rows.</summary>
    Weighted,
    /// <summary>Mean over the rows; for several labels per row only.</summary>
    Samples,
}

/// <summary>Precision, recall and F1. A score that would divide by zero is 0, as scikit-learn's <c>zero_division=0</c>.</summary>
/// <param name="Precision">Share of the rows predicted as the class that are of it.</param>
/// <param name="Recall">Share of the rows of the class that were predicted as it.</param>
/// <param name="F1">Harmonic mean of the two.</param>
public readonly record struct ClassScores(double Precision, double Recall, double F1)
{
    /// <summary>The scores of one class, or of all together, from its counts.</summary>
    internal static ClassScores FromCounts(long truePositives, long predicted, long actual) => new(
        Ratio(truePositives, predicted), Ratio(truePositives, actual), Ratio(2.0 * truePositives, predicted + actual));

    /// <summary>The mean of several scores; 0 where the weights sum to 0.</summary>
    internal static ClassScores Mean(IEnumerable<(ClassScores Scores, double Weight)> weighted)
    {
        double precision = 0, recall = 0, f1 = 0, weights = 0;
        foreach (var (scores, weight) in weighted)
        {
            precision += scores.Precision * weight;
            recall += scores.Recall * weight;
            f1 += scores.F1 * weight;
            weights += weight;
        }
        return new ClassScores(Ratio(precision, weights), Ratio(recall, weights), Ratio(f1, weights));
    }

    private static double Ratio(double part, double whole) => whole == 0 ? 0 : part / whole;
}
