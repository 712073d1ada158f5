using System.Diagnostics;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Distributed;

/// <summary>
/// Sums from card to card by NCCL, in a queue of their own beside that of the card's other work: they begin when the numbers are there, and what needs them waits on the card. A process that does not come to a sum would keep the cards of the others busy for
/// ever, so a thread looks at the oldest one that is under way, and ends all processes where it does not end.
/// </summary>
/// <remarks>Who hangs is named by the processes' own messages, once an update (<see cref="Communicator.Patience"/>); this is for what these do not see, so it waits twice as long.</remarks>
internal sealed unsafe class NcclSums : DeviceSums
{
    private const int CodeOfTrouble = 1;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200), LastPatience = TimeSpan.FromSeconds(10);

    private readonly Communicator _processes;
    private readonly CardContext _card;
    private readonly NcclLibrary _nccl;
    private readonly Action<string> _say;
    private readonly nint _communicator, _queue;
    private readonly Thread _watch;
    private readonly Queue<(nint Mark, long Begun)> _underWay = [];
    private readonly ManualResetEventSlim _isOver = new();
    private bool _isAborted;

    /// <param name="processes">Each with a card of its own.</param>
    /// <param name="card">That of this one; belongs to this from now on.</param>
    /// <param name="nccl">Of one version in all processes.</param>
    /// <param name="say">Is told why all processes are ended; null is standard error.</param>
    /// <exception cref="AttuneException">The cards do not reach each other.</exception>
    internal NcclSums(Communicator processes, CardContext card, NcclLibrary nccl, Action<string>? say = null)
    {
        (_processes, _card, _nccl, _say) = (processes, card, nccl, say ?? Console.Error.WriteLine);
        var id = processes.GatherAll(processes.IsFirst ? nccl.NewId() : [], Communicator.Long)[0];
        nint communicator = 0;
        card.Do(() => communicator = nccl.Join(id, processes.Rank, processes.Size));
        (_communicator, _queue) = (communicator, card.NewQueue());
        _watch = new Thread(Watch) { IsBackground = true, Name = "sums of cards" };
        _watch.Start();
    }

    internal override void Begin(Tensor values)
    {
        _card.Wait(_queue, on: CardContext.Usual);
        _card.Do(() => _nccl.AllReduce(_communicator, (nint)LibTorch.Floats(values), values.NumberOfElements, _queue));
    }

    internal override void End()
    {
        _card.Wait(CardContext.Usual, on: _queue);
        var mark = (_card.Mark(_queue), Stopwatch.GetTimestamp());
        lock (_underWay) _underWay.Enqueue(mark);
    }

    public override void Dispose()
    {
        _isOver.Set();
        _watch.Join();
        _isOver.Dispose();
        // NCCL leaves with the others, who may be waiting elsewhere for what this process does: that must not keep it from saying what went wrong.
        var leaving = new Thread(Leave) { IsBackground = true, Name = "leaving NCCL" };
        leaving.Start();
        if (!leaving.Join(LastPatience)) return;                            // the process ends soon, and all of it with that
        _card.RemoveQueue(_queue);
        _card.Dispose();
    }

    private void Leave()
    {
        for (var since = Stopwatch.GetTimestamp(); Oldest() is not null && !_isAborted && Stopwatch.GetElapsedTime(since) < LastPatience / 2;) Thread.Sleep(1);
        if (Oldest() is not null) Abort();
        else if (!_isAborted) _card.Do(() => _nccl.Leave(_communicator));
    }

    private void Watch()
    {
        while (!_isOver.Wait(BetweenLooks))
            if (Trouble() is { } what)
            {
                _say($"attune: {_processes.NameOf(_processes.Rank)}: {what}, so all processes are ended; go on with --resume-from-checkpoint auto.");
                _processes.Abort(CodeOfTrouble);                            // first: what the cards have added up so far must not come into a checkpoint
                Abort();
                return;
            }
    }

    private void Abort()
    {
        if (!_isAborted) _card.Do(() => _nccl.Abort(_communicator));
        _isAborted = true;
    }

    /// <summary>The oldest mark that the card has not come to.</summary>
    private (nint Mark, long Begun)? Oldest()
    {
        while (true)
        {
            (nint Mark, long Begun) oldest;
            lock (_underWay)
                if (!_underWay.TryPeek(out oldest)) return null;
            if (!_card.IsPast(oldest.Mark)) return oldest;
            lock (_underWay) _ = _underWay.Dequeue();
        }
    }

    /// <summary>What is wrong with the sums that are under way; null for nothing.</summary>
    private string? Trouble()
    {
        if (Oldest() is not { } oldest) return null;
        if (_nccl.Trouble(_communicator) is { } error) return $"NCCL says in {_processes.Activity}: {error}";
        var waited = Stopwatch.GetElapsedTime(oldest.Begun);
        return waited < 2 * _processes.Patience ? null
            : FormattableString.Invariant($"the sums over the cards in {_processes.Activity} have not ended for {waited.TotalSeconds:0} seconds: another process hangs, or a link between cards is down");
    }
}
