using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Distributed;

/// <summary>
/// The processes that train one model together, and what they tell each other. What is said here is said by all of them, in the same order: who is the first
/// to call waits for the others.
/// </summary>
/// <example><code>
/// using var processes = Communicator.Join();                  // under mpirun or srun; else this process alone
/// var trainer = new Trainer(model, arguments, train, eval) { Processes = processes };
/// trainer.Train();
/// </code></example>
public abstract class Communicator : IDisposable
{
    /// <summary>How long others are waited for where one of them may read, write or compute something by itself.</summary>
    internal static readonly TimeSpan Long = TimeSpan.FromMinutes(30);

    private protected Communicator()
    {
    }

    /// <summary>This process alone.</summary>
    public static Communicator Single { get; } = new SingleProcess();

    /// <summary>Number of this process, from 0.</summary>
    public abstract int Rank { get; }

    /// <summary>Number of processes.</summary>
    public abstract int Size { get; }

    /// <summary>Whether it is the one that writes and speaks for all.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>How long the others are waited for before one is said to hang.</summary>
    internal TimeSpan Patience { get; set; } = Long;

    /// <summary>What the processes do, for who is told that one hangs.</summary>
    internal string Activity { get; set; } = "the start";

    /// <summary>Joins the processes that mpirun, mpiexec or srun has started.</summary>
    /// <returns><see cref="Single"/> where this process was started by itself. Dispose it at the end: it waits for the others.</returns>
    /// <exception cref="AttuneException">There is no MPI library, or it sees other processes than the launcher.</exception>
    public static Communicator Join() => Launch.OfProcess is { Size: > 1 } launch ? new MpiCommunicator(launch) : Single;

    /// <summary>How long sums and collections have taken so far, others that were late included.</summary>
    internal virtual TimeSpan Busy => TimeSpan.Zero;

    /// <summary>Names a process: its rank and its machine.</summary>
    internal abstract string NameOf(int rank);

    /// <summary>The number of this process among those on the same machine, from 0.</summary>
    internal int NumberOnMachine()
    {
        if (Size == 1) return 0;
        var mine = Encoding.UTF8.GetBytes(Environment.MachineName);
        return GatherAll(mine, Long).Take(Rank).Count(other => other.AsSpan().SequenceEqual(mine));
    }

    /// <summary>What each process says, by rank.</summary>
    /// <param name="mine">What this one says; of any length.</param>
    /// <param name="patience">Null takes <see cref="Patience"/>.</param>
    internal abstract byte[][] GatherAll(ReadOnlySpan<byte> mine, TimeSpan? patience = null);

    /// <summary>The numbers of all processes one after the other, and where those of this one begin.</summary>
    /// <param name="mine">Of this one; of any length.</param>
    internal (float[] All, int First) Concatenate(ReadOnlySpan<float> mine)
    {
        var said = GatherAll(MemoryMarshal.AsBytes(mine));
        var (all, first, end) = (new float[said.Sum(bytes => bytes.Length) / sizeof(float)], 0, 0);
        foreach (var (rank, bytes) in said.Index())
        {
            if (rank == Rank) first = end;
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(all.AsSpan(end));
            end += bytes.Length / sizeof(float);
        }
        return (all, first);
    }

    /// <summary>The first process's number: what is decided by it is decided by all alike.</summary>
    internal double OfFirst(double value) => BitConverter.ToDouble(GatherAll(BitConverter.GetBytes(value))[0]);

    /// <summary>Ends something on all processes where one of them was told to stop.</summary>
    /// <exception cref="OperationCanceledException">One was.</exception>
    internal void ThrowIfStopped(CancellationToken asked)
    {
        if (GatherAll([asked.IsCancellationRequested ? (byte)1 : (byte)0]).Any(said => said[0] == 1)) throw new OperationCanceledException(asked);
    }

    /// <summary>Adds numbers up over the processes, in the order of the ranks, so that all of them get the same bits from any MPI library.</summary>
    /// <param name="values">Address of floats; receives the sums.</param>
    /// <param name="count">How many.</param>
    /// <returns>Ends when they are there; until then nobody else may touch them.</returns>
    internal Task Sum(nint values, long count)
    {
        var parts = Shards.Even(count, Size);
        return Begin(values, parts, sums: true, collects: true);
    }

    /// <summary>The same, but each process gets the sums of its own part only.</summary>
    internal Task SumParts(nint values, Shards parts) => Begin(values, parts, sums: true, collects: false);

    /// <summary>Gives every process the parts of the others.</summary>
    internal Task CollectParts(nint values, Shards parts) => Begin(values, parts, sums: false, collects: true);

    /// <summary>Gives the first process the parts of the others.</summary>
    /// <param name="whole">Address of all numbers; read by the first alone.</param>
    /// <param name="parts">Who has which.</param>
    /// <param name="mine">Address of this process's part.</param>
    internal abstract Task CollectAtFirst(nint whole, Shards parts, nint mine);

    /// <summary>Ends all processes at once.</summary>
    internal abstract void Abort(int code);

    /// <inheritdoc/>
    public abstract void Dispose();

    private protected abstract Task Begin(nint values, Shards parts, bool sums, bool collects);
}
