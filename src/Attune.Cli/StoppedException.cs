namespace Attune.Cli;

/// <summary>A signal ended what was being done, in order: what is left is said, and the exit code tells the shell which signal it was.</summary>
internal sealed class StoppedException(string message, int code) : Exception(message)
{
    internal int Code { get; } = code;

    /// <summary>Whether all processes have agreed to stop and come to this end.</summary>
    internal bool IsOfAll { get; init; }
}
