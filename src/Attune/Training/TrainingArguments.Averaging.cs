namespace Attune.Training;

// Models that are averages of weights.
public sealed partial record TrainingArguments
{
    /// <summary>
    /// Evaluates and saves a moving average of the weights in place of those of the last update; training goes on with these. The average is
    /// corrected for its start, as Adam's are, so the weights before training have no part in it.
    /// </summary>
    /// <value>Share that an update's weights keep with each update that follows, for example 0.999: above 0, below 1. Default null: off.</value>
    public double? EmaDecay { get; init; }

    /// <summary>Evaluates and saves the plain mean of the weights after each update from here on (stochastic weight averaging); training goes on with its own.</summary>
    /// <value>A share of all updates below 1, or a number of epochs: 0.75 averages the last quarter, 2 what follows the second epoch. Default null: off.</value>
    public double? SwaStart { get; init; }

    /// <summary>
    /// At the end averages the best N checkpoints by <see cref="MetricForBestModel"/>: the best, and each next one where the evaluation of the average
    /// gets no worse (greedy soup). These checkpoints are kept besides those of <see cref="SaveTotalLimit"/>.
    /// </summary>
    /// <value>At least 2. Default 0: off. Every evaluation among the best N so far is saved.</value>
    public int Soup { get; init; }
}
