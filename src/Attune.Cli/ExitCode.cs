namespace Attune.Cli;

/// <summary>What the command answers to the shell.</summary>
internal static class ExitCode
{
    internal const int Success = 0, Failure = 1, Usage = 2;

    /// <summary>Stopped by SIGTERM with a checkpoint: the same command with --resume-from-checkpoint auto goes on (EX_TEMPFAIL).</summary>
    internal const int TryAgain = 75;

    /// <summary>Stopped by Ctrl+C: 128 + SIGINT.</summary>
    internal const int Interrupted = 130;

    /// <summary>Stopped by SIGTERM without having saved: 128 + SIGTERM.</summary>
    internal const int Terminated = 143;

    /// <summary>The code of a stop after which there is nothing to go on from.</summary>
    internal static int WithoutState(int code) => code == TryAgain ? Terminated : code;
}
