namespace Attune.Cli;

/// <summary>The command line itself is wrong: one sentence, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
