using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Attune.Kernels;

namespace Attune.Distributed;

/// <summary>
/// Processes that exchange messages. Everything is made of one act: all send to all and receive from all, at once. So a message that does not come names
/// the process that is late, the sums are made in the order of the ranks on one process each, and all get the same bits whatever carries the messages.
/// </summary>
/// <remarks>
/// Sums are made as by Rabenseifner's algorithm: each process adds up its part of the numbers, and then the parts are collected. With N processes each
/// sends and receives 2 (N - 1) / N of the bytes, which is the least that any algorithm can do (Patarasuk and Yuan, 2009).
/// One thread carries all messages, in the order in which they were asked for, while others compute.
/// </remarks>
internal abstract unsafe class MessageCommunicator : Communicator
{
    private const int Header = sizeof(long), Inline = 56;                  // small messages are one packet with their length
    private const int ScratchFloats = 1 << 22, LeastChunk = 1 << 14, MostBytes = 1 << 26;

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private float* _scratch;
    private long _scratchFloats;
    private Exception? _failure;
    private long _busy;

    private protected MessageCommunicator()
    {
        _thread = new Thread(Work) { IsBackground = true, Name = "messages" };
        _thread.Start();
    }

    internal override TimeSpan Busy => TimeSpan.FromTicks(Interlocked.Read(ref _busy));

    internal override byte[][] GatherAll(ReadOnlySpan<byte> mine, TimeSpan? patience = null)
    {
        var copy = mine.ToArray();
        return Do(() => Gather(copy, patience ?? Patience)).GetAwaiter().GetResult();
    }

    internal override Task CollectAtFirst(nint whole, Shards parts, nint mine) => Do(() =>
    {
        var longest = parts.Longest * sizeof(float);
        for (var at = 0L; at < longest; at += MostBytes)
        {
            int Bytes(int rank) => (int)Math.Clamp(parts.Count(rank) * sizeof(float) - at, 0, MostBytes);
            Exchange(
                IsFirst || Bytes(Rank) == 0 ? [] : [new Message(0, mine + (nint)at, Bytes(Rank))],
                IsFirst ? [.. Others.Where(rank => Bytes(rank) > 0).Select(rank => new Message(rank, whole + (nint)(parts.First(rank) * sizeof(float) + at), Bytes(rank)))] : [], Long);
        }
        return true;
    });

    public override void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
        NativeMemory.Free(_scratch);
        _scratch = null;
    }

    private protected override Task Begin(nint values, Shards parts, bool sums, bool collects)
    {
        var patience = Patience;
        return Do(() =>
        {
            var begun = Stopwatch.GetTimestamp();
            if (sums) Sum((float*)values, parts, patience);
            if (collects) Collect((byte*)values, parts, patience);
            Interlocked.Add(ref _busy, Stopwatch.GetElapsedTime(begun).Ticks);
            return true;
        });
    }

    /// <summary>Sends and receives, and returns when all is through. Called by one thread only.</summary>
    /// <exception cref="AttuneException">Somebody has not answered within the time.</exception>
    private protected abstract void Exchange(IReadOnlyList<Message> sent, IReadOnlyList<Message> received, TimeSpan patience);

    /// <summary>Called by the thread of the messages while it has nothing to do.</summary>
    private protected virtual void Idle()
    {
    }

    /// <summary>Has the thread of the messages do something after all that it was asked for before.</summary>
    private protected Task<T> Do<T>(Func<T> act)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                // Where one exchange has failed nothing that follows would fit what the others do.
                if (_failure is not null) throw new AttuneException(_failure.Message, _failure);
                done.SetResult(act());
            }
            catch (Exception e)
            {
                _failure ??= e;
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private protected IEnumerable<int> Others => Enumerable.Range(0, Size).Where(rank => rank != Rank);

    private void Work()
    {
        while (true)
        {
            if (_work.TryTake(out var act, TimeSpan.FromMilliseconds(200))) act();
            else if (_work.IsCompleted) return;
            else Idle();
        }
    }

    private byte[][] Gather(byte[] mine, TimeSpan patience)
    {
        const int packet = Header + Inline;
        var small = new byte[(Size + 1) * packet];
        var all = new byte[Size][];
        fixed (byte* first = small)
        {
            var own = first + Size * packet;
            BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(own, Header), mine.Length);
            mine.AsSpan(0, Math.Min(Inline, mine.Length)).CopyTo(new Span<byte>(own + Header, Inline));
            var at = first;
            Exchange([.. Others.Select(rank => new Message(rank, (nint)own, packet))], [.. Others.Select(rank => new Message(rank, (nint)(at + rank * packet), packet))], patience);
            for (var rank = 0; rank < Size; rank++)
            {
                if (rank == Rank)
                {
                    all[rank] = mine;
                    continue;
                }
                all[rank] = new byte[checked((int)BinaryPrimitives.ReadInt64LittleEndian(new Span<byte>(first + rank * packet, Header)))];
                new Span<byte>(first + rank * packet + Header, Math.Min(Inline, all[rank].Length)).CopyTo(all[rank]);
            }
        }
        if (Array.TrueForAll(all, one => one.Length <= Inline)) return all;
        var pins = Array.ConvertAll(all, one => GCHandle.Alloc(one, GCHandleType.Pinned));
        try
        {
            Exchange(
                [.. Others.Where(_ => mine.Length > Inline).Select(rank => Rest(rank, Rank))],
                [.. Others.Where(rank => all[rank].Length > Inline).Select(rank => Rest(rank, rank))], patience);
        }
        finally
        {
            foreach (var pin in pins) pin.Free();
        }
        return all;

        Message Rest(int peer, int whose) => new(peer, pins[whose].AddrOfPinnedObject() + Inline, all[whose].Length - Inline);
    }

    /// <summary>Adds up this process's part.</summary>
    private void Sum(float* values, Shards parts, TimeSpan patience)
    {
        var chunk = Math.Max(LeastChunk, ScratchFloats / (Size - 1));
        var (longest, mine) = (parts.Longest, parts.Count(Rank));
        RequireScratch((long)(Size - 1) * Math.Min(chunk, mine));
        var slots = Math.Min(chunk, mine);
        for (var at = 0L; at < longest; at += chunk)
        {
            int Floats(int rank) => (int)Math.Clamp(parts.Count(rank) - at, 0, chunk);
            var own = Floats(Rank);
            Exchange(
                [.. Others.Where(rank => Floats(rank) > 0).Select(rank => new Message(rank, (nint)(values + parts.First(rank) + at), Floats(rank) * sizeof(float)))],
                [.. Others.Where(_ => own > 0).Select(rank => new Message(rank, (nint)Slot(rank), own * sizeof(float)))], patience);
            if (own > 0) AddUp(values + parts.First(Rank) + at, Slot, own);
        }

        float* Slot(int rank) => _scratch + (rank < Rank ? rank : rank - 1) * slots;
    }

    private delegate float* SlotOf(int rank);

    /// <summary>The sum in the order of the ranks, into the place of this process's own numbers.</summary>
    private void AddUp(float* own, SlotOf slot, int count)
    {
        var sum = Rank == 0 ? own : slot(0);
        for (var rank = 1; rank < Size; rank++)
        {
            var target = rank == Size - 1 ? own : sum;
            Vectors.Sum(sum, rank == Rank ? own : slot(rank), target, count);
            sum = target;
        }
    }

    private void Collect(byte* values, Shards parts, TimeSpan patience)
    {
        var longest = parts.Longest * sizeof(float);
        for (var at = 0L; at < longest; at += MostBytes)
        {
            int Bytes(int rank) => (int)Math.Clamp(parts.Count(rank) * sizeof(float) - at, 0, MostBytes);
            nint Address(int rank) => (nint)(values + parts.First(rank) * sizeof(float) + at);
            Exchange(
                [.. Others.Where(_ => Bytes(Rank) > 0).Select(rank => new Message(rank, Address(Rank), Bytes(Rank)))],
                [.. Others.Where(rank => Bytes(rank) > 0).Select(rank => new Message(rank, Address(rank), Bytes(rank)))], patience);
        }
    }

    private void RequireScratch(long floats)
    {
        if (floats <= _scratchFloats) return;
        _scratch = (float*)NativeMemory.Realloc(_scratch, (nuint)floats * sizeof(float));
        _scratchFloats = floats;
    }
}
