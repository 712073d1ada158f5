namespace Attune.Inference;

/// <summary>More rows wait than <see cref="ClassifierOptions.MaxWaitingRows"/> allows: ask again later.</summary>
public sealed class ClassifierBusyException : Exception
{
    internal ClassifierBusyException(int waiting) : base($"The classifier is busy: {waiting} rows wait already.")
    {
    }
}
