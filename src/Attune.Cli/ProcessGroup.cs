using System.Text;
using Attune.Distributed;
using Attune.Native;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The processes that a launcher has started to do one command together. The first speaks; the others are heard only where they alone fail.</summary>
internal static class ProcessGroup
{
    private static readonly TimeSpan TimeOfTheFirst = TimeSpan.FromSeconds(2);
    private static readonly Launch? Launched = Launch.OfProcess;
    private static Communicator _processes = Communicator.Single;
    private static bool _isJoining;

    /// <summary>Whether no launcher has started this process.</summary>
    internal static bool IsOne => Launched is null;

    /// <summary>Whether this process is one of several and not the first.</summary>
    internal static bool IsFollower => Launched is { Size: > 1, Rank: > 0 };

    /// <summary>Refuses several processes for what one does: all would do the same and write the same files.</summary>
    /// <exception cref="UsageException">There are several.</exception>
    internal static void RequireOne(string what)
    {
        if (Launched is { Size: > 1 } launch) throw new UsageException($"{what} is done by one process, but {launch.Launcher} has started {launch.Size}; start it without, or with one.");
    }

    /// <summary>Joins the others; this process alone where there are none.</summary>
    internal static Communicator Join()
    {
        _isJoining = true;
        return _processes = Communicator.Join();
    }

    /// <summary>Does something in the first process and then, when that is done, in the others: they find in the caches what it has fetched or made.</summary>
    internal static T InTurn<T>(Func<T> work)
    {
        var result = _processes.IsFirst ? work() : default;
        SharedFiles.WaitForAll(_processes);
        return _processes.IsFirst ? result! : work();
    }

    /// <summary>The cores that this process may use: those that the launcher has bound it to, or its share where several have the same.</summary>
    internal static int Cores()
    {
        if (_processes.Size == 1) return Environment.ProcessorCount;
        var mine = Encoding.UTF8.GetBytes($"{Environment.MachineName} {Processor.Allowed}");
        var alike = _processes.GatherAll(mine, Communicator.Long).Count(other => other.AsSpan().SequenceEqual(mine));
        return Math.Max(1, Environment.ProcessorCount / alike);
    }

    /// <summary>The number of this process among those on the same machine, from 0.</summary>
    internal static int NumberOnMachine() => _processes.NumberOnMachine();

    /// <summary>Ends what was joined: in order with the others, or all of them at once where something went wrong.</summary>
    /// <param name="code">The exit code.</param>
    /// <param name="isInOrder">Whether nothing went wrong, so that the others come to the same end.</param>
    /// <param name="terminal">Of this process; what a follower has kept is said where the first has not ended it before.</param>
    internal static void End(int code, bool isInOrder, Terminal terminal)
    {
        if (!_isJoining)
        {
            // All are refused alike, and the first says why: mpirun ends it when another one has failed.
            if (IsFollower && !isInOrder) Thread.Sleep(TimeOfTheFirst);
            return;
        }
        try
        {
            if (isInOrder)
            {
                if (_processes.Size > 1) _processes.Dispose();
                return;
            }
        }
        catch (AttuneException e)
        {
            terminal.Note("attune: " + e.Message);
        }
        if (IsFollower)
        {
            Thread.Sleep(TimeOfTheFirst);                                  // what is wrong for all is said by the first
            terminal.SayKept(_processes.Size > 1 ? _processes.NameOf(_processes.Rank) : $"rank {Launched!.Rank}");
        }
        if (_processes.Size > 1) _processes.Abort(Math.Max(code, ExitCode.Failure));
    }
}
