namespace Attune.Hub;

/// <summary>The hub did not answer, or is too busy: what the cache holds may serve instead. A refusal is none of this.</summary>
/// <param name="message">A sentence without what to do about it.</param>
/// <param name="cause">What went wrong below.</param>
internal sealed class UnreachableException(string message, Exception? cause) : Exception(message, cause)
{
    /// <summary>The same for people.</summary>
    /// <param name="remedy">What to do, without a full stop.</param>
    internal AttuneException With(string remedy) => new($"{Message}; {remedy}.", this);
}
