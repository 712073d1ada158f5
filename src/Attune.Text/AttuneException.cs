namespace Attune;

/// <summary>What the user can mend: one sentence that says what is wrong, where, and what to do.</summary>
/// <remarks>The command prints its message alone and exits with 1. Any other exception is a fault of Attune and keeps its trace.</remarks>
public sealed class AttuneException : Exception
{
    /// <summary>Creates the exception with its one sentence.</summary>
    public AttuneException(string message) : base(message)
    {
    }

    /// <summary>Creates the exception with its one sentence and the exception that it explains.</summary>
    public AttuneException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
