using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Attune.Native;

namespace Attune.Distributed;

/// <summary>Processes that an MPI launcher has started. MPI is started, called and ended by the thread of the messages alone.</summary>
internal sealed partial class MpiCommunicator : MessageCommunicator
{
    private const int Tag = 20;
    private const int NoAbort = int.MinValue;

    /// <summary>How much longer each process waits than the one before it, so that one alone says who hangs.</summary>
    private static readonly TimeSpan Stagger = TimeSpan.FromSeconds(2);

    /// <summary>How many of these steps longer one waits who misses several: they may wait themselves for the one that hangs, and who misses that alone knows it better.</summary>
    private const int StepsOfSeveral = 3;

    private static readonly TimeSpan TimeOfAbort = TimeSpan.FromSeconds(5);

    private readonly MpiLibrary _mpi;
    private readonly string[] _machines;
    private volatile int _abortCode = NoAbort;
    private bool _isOver;

    internal MpiCommunicator(Launch launch)
    {
        _mpi = MpiLibrary.Load(launch.Libraries);
        (Rank, Size) = Do(() =>
        {
            _mpi.Start();
            return _mpi.Place();
        }).GetAwaiter().GetResult();
        if (Size != launch.Size)
            throw new AttuneException($"{launch.Launcher} has started {launch.Size} processes, but {_mpi.Version} ({_mpi.Name}) sees {Size}: it belongs to another launcher. " +
                $"Start the run by that library's own mpirun, under Slurm give srun --mpi=pmix, or name the right library in {MpiLibrary.NameVariable}.");
        _machines = Array.ConvertAll(GatherAll(Encoding.UTF8.GetBytes(Environment.MachineName), Long), Encoding.UTF8.GetString);
    }

    public override int Rank { get; }

    public override int Size { get; }

    internal override string NameOf(int rank) => $"rank {rank} on {_machines[rank]}";

    internal override void Abort(int code)
    {
        _abortCode = code;                                                 // the thread that may call MPI sees it
        Thread.Sleep(TimeOfAbort);
        // MPI hangs itself, or mpirun does not answer because it is ending the job already.
        ProcessEnd.Now(code);
    }

    /// <summary>Waits for the others and ends MPI.</summary>
    public override void Dispose()
    {
        if (_isOver) return;
        _isOver = true;
        Do(() =>
        {
            _mpi.Finish();
            return true;
        }).GetAwaiter().GetResult();
        base.Dispose();
    }

    private protected override void Idle() => AbortWhereAsked();

    private protected override void Exchange(IReadOnlyList<Message> sent, IReadOnlyList<Message> received, TimeSpan patience)
    {
        List<(int From, nint Request)> requests = [];
        // Receiving is made known before anything is sent: then it goes straight to its place.
        foreach (var message in received) requests.Add((message.Peer, _mpi.Receive(message.Address, message.Bytes, message.Peer, Tag)));
        foreach (var message in sent) requests.Add((message.Peer, _mpi.Send(message.Address, message.Bytes, message.Peer, Tag)));
        var (still, watch) = (new Pause(), Stopwatch.StartNew());
        while (requests.Count > 0)
        {
            var before = requests.Count;
            for (var i = requests.Count - 1; i >= 0; i--)
            {
                var request = requests[i].Request;
                if (_mpi.IsDone(ref request)) requests.RemoveAt(i);
            }
            if (requests.Count < before)
            {
                still.Reset();
                watch.Restart();
                continue;
            }
            AbortWhereAsked();
            still.Wait();
            if (watch.Elapsed > patience) GiveUpWhereDue([.. requests.Select(request => request.From).Distinct().Order()], watch.Elapsed, patience);
        }
    }

    /// <summary>The first process that is not missing says which ones are; the others leave it the time to end them too.</summary>
    private void GiveUpWhereDue(int[] missing, TimeSpan waited, TimeSpan patience)
    {
        var place = Enumerable.Range(0, Rank).Count(rank => !missing.Contains(rank));
        if (waited < patience + (missing.Length > 1 ? place + StepsOfSeveral : place) * Stagger) return;
        throw new AttuneException(
            $"{string.Join(", ", missing.Select(NameOf))} {(missing.Length == 1 ? "has" : "have")} not answered for {waited.TotalSeconds:0} seconds in {Activity}, so the run is ended. " +
            "Look at what that process does (a full disk, a stopped machine, a debugger); go on with --resume-from-checkpoint auto, or allow more time by --ddp-timeout.");
    }

    private void AbortWhereAsked()
    {
        if (_abortCode is not NoAbort and var code) _mpi.Abort(code);
    }

    /// <summary>How the thread of the messages waits: awake at first, for what comes soon; then it leaves the core to those that compute.</summary>
    private sealed partial class Pause
    {
        private static readonly long Awake = Stopwatch.Frequency / 20_000, Yielding = Stopwatch.Frequency / 1_000, Dozing = Stopwatch.Frequency;
        private long _since = Stopwatch.GetTimestamp();

        internal void Reset() => _since = Stopwatch.GetTimestamp();

        internal void Wait()
        {
            var waited = Stopwatch.GetTimestamp() - _since;
            if (waited < Awake) Thread.SpinWait(10);
            else if (waited < Yielding || OperatingSystem.IsWindows()) Thread.Yield();
            else if (waited < Dozing) _ = Sleep(100);
            else Thread.Sleep(1);
        }

        [LibraryImport("libc", EntryPoint = "usleep")]
        private static partial int Sleep(uint microseconds);
    }
}
