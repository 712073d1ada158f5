namespace Attune.Inference;

/// <summary>More rows wait than <see cref="ClassifierOptions.MaxWaitingRows"/> allows: ask again later.</summary>
public sealed class ClassifierBusyException : Exception
{
    internal ClassifierBusyException(int waiting, TimeSpan retryAfter) : base($"The classifier is busy: {waiting} rows wait already.") => RetryAfter = retryAfter;

    /// <summary>About how long it takes to compute the rows that wait, by the speed of the last batches.</summary>
    public TimeSpan RetryAfter { get; }
}
