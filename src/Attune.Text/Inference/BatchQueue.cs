using System.Diagnostics;
using Attune.Batching;

namespace Attune.Inference;

/// <summary>Puts the rows of many callers together into batches, computed one after the other on one thread.</summary>
/// <remarks>
/// Nothing is waited for: the first rows go at once, and those that come meanwhile make the next batch. Each waiting caller gets a like share of a
/// batch, so that a few rows do not wait for ten thousand of somebody else. One thread, because libtorch keeps a team of threads for each that calls it.
/// </remarks>
internal sealed class BatchQueue : IDisposable
{
    /// <summary>Weight of the last batch in the time that a row is expected to take.</summary>
    private const double Newest = 0.2;

    private readonly Lock _lock = new();
    private readonly LinkedList<Request> _waiting = [];
    private readonly SemaphoreSlim _work = new(0);
    private readonly Action<IReadOnlyList<TokenizedRow>, float[]> _compute;
    private readonly int _columns, _batchSize, _most;
    private readonly List<Part> _parts = [];
    private int _rows;
    private double _secondsPerRow;
    private bool _isClosed, _isStarted;

    /// <summary>Creates the queue; its thread begins with the first request.</summary>
    /// <param name="compute">Fills the logits of rows.</param>
    /// <param name="columns">Logits of a row.</param>
    /// <param name="batchSize">Most rows of a batch.</param>
    /// <param name="most">Rows that may wait.</param>
    internal BatchQueue(Action<IReadOnlyList<TokenizedRow>, float[]> compute, int columns, int batchSize, int most) =>
        (_compute, _columns, _batchSize, _most) = (compute, columns, batchSize, most);

    /// <summary>Rows that wait.</summary>
    internal int Waiting => Volatile.Read(ref _rows);

    /// <summary>
    /// Whether callers go on one after the other, on as many threads as there are cores, in place of a thread for each: much less work for many callers, none of whom may wait
    /// for another.
    /// </summary>
    internal bool AnswersInTurn { get; set; }

    /// <summary>Is told of each batch, on the thread that computes.</summary>
    internal Action<BatchReport>? Done { get; set; }

    /// <summary>Refuses rows for which there is no room, before anything is done for them.</summary>
    /// <exception cref="ClassifierBusyException">Too many wait already.</exception>
    internal void RequireRoom(int rows)
    {
        var waiting = Waiting;
        // A caller alone may bring more than may wait: it would else never be served.
        if (waiting > 0 && waiting + (long)rows > _most) throw new ClassifierBusyException(waiting, TimeSpan.FromSeconds(waiting * Volatile.Read(ref _secondsPerRow)));
    }

    /// <summary>Computes rows as soon as it is their turn.</summary>
    /// <exception cref="ClassifierBusyException">Too many wait already.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    internal Task<float[]> Compute(IReadOnlyList<TokenizedRow> rows, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested) return Task.FromCanceled<float[]>(cancellation);
        var request = new Request(rows, new float[rows.Count * _columns], AnswersInTurn, cancellation);
        bool isFirst;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(Classifier));
            RequireRoom(rows.Count);
            isFirst = _waiting.Count == 0;
            _waiting.AddLast(request);
            _rows += rows.Count;
            if (!_isStarted) new Thread(Work) { IsBackground = true, Name = "Attune classifier" }.Start();
            _isStarted = true;
        }
        if (isFirst) _work.Release();                                       // else the thread looks for more by itself
        // Who gives up is told at once; the rows are left out when the next batch is made.
        return cancellation.CanBeCanceled ? request.Done.Task.WaitAsync(cancellation) : request.Done.Task;
    }

    /// <summary>Refuses what waits and all that comes.</summary>
    public void Dispose()
    {
        Request[] left;
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
            left = [.. _waiting];
            _waiting.Clear();
            _rows = 0;
        }
        foreach (var request in left) request.Done.TrySetException(new ObjectDisposedException(nameof(Classifier)));
        _work.Release();
    }

    private void Work()
    {
        while (true)
        {
            _work.Wait();
            lock (_lock)
                if (_isClosed) return;
            while (Take() > 0) Run();
        }
    }

    private void Run()
    {
        try
        {
            var rows = new TokenizedRow[_parts.Sum(part => part.Count)];
            var (at, tokens) = (0, 0);
            foreach (var part in _parts)
                for (var i = part.First; i < part.First + part.Count; i++)
                {
                    rows[at] = part.Of.Rows[i];
                    tokens += rows[at++].Length;
                }
            var logits = new float[rows.Length * _columns];
            var start = Stopwatch.GetTimestamp();
            _compute(rows, logits);
            var taken = Stopwatch.GetElapsedTime(start);
            Volatile.Write(ref _secondsPerRow, (1 - Newest) * _secondsPerRow + Newest * taken.TotalSeconds / rows.Length);
            Done?.Invoke(new BatchReport(rows.Length, tokens, taken));
            at = 0;
            List<Request> finished = [];
            foreach (var part in _parts)
            {
                logits.AsSpan(at, part.Count * _columns).CopyTo(part.Of.Logits.AsSpan(part.First * _columns));
                at += part.Count * _columns;
                part.Of.Finished += part.Count;
                if (part.Of.Finished == part.Of.Rows.Count) finished.Add(part.Of);
            }
            Answer(finished);
        }
        catch (Exception fault)                                             // of this batch: the next one is another
        {
            foreach (var part in _parts) Drop(part.Of, fault);
        }
    }

    private void Answer(List<Request> finished)
    {
        if (!AnswersInTurn)
        {
            foreach (var request in finished) request.Done.TrySetResult(request.Logits);
            return;
        }
        var size = (finished.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount;
        for (var from = 0; from < finished.Count; from += size)
            ThreadPool.UnsafeQueueUserWorkItem(static some =>
            {
                foreach (var request in some) request.Done.TrySetResult(request.Logits);
            }, finished.GetRange(from, Math.Min(size, finished.Count - from)), preferLocal: false);
    }

    /// <summary>Rows for the next batch, a like share of each who waits; those who no longer want theirs are let go. Gives the number of shares.</summary>
    private int Take()
    {
        List<Request>? gone = null;
        _parts.Clear();
        lock (_lock)
        {
            for (var node = _waiting.First; node is not null;)
            {
                var (request, next) = (node.Value, node.Next);
                if (request.Cancellation.IsCancellationRequested)
                {
                    _rows -= request.Rows.Count - request.Taken;
                    _waiting.Remove(node);
                    (gone ??= []).Add(request);
                }
                node = next;
            }
            var (room, callers) = (_batchSize, _waiting.Count);
            while (room > 0 && _waiting.First is { Value: var request } first)
            {
                var count = Math.Min(Math.Max(room / Math.Max(callers--, 1), 1), request.Rows.Count - request.Taken);
                _parts.Add(new Part(request, request.Taken, count));
                request.Taken += count;
                _rows -= count;
                room -= count;
                _waiting.RemoveFirst();
                if (request.Taken < request.Rows.Count) _waiting.AddLast(first);
            }
        }
        foreach (var request in gone ?? []) request.Done.TrySetCanceled(request.Cancellation);
        return _parts.Count;
    }

    private void Drop(Request request, Exception fault)
    {
        lock (_lock)
            if (_waiting.Remove(request)) _rows -= request.Rows.Count - request.Taken;
        request.Done.TrySetException(fault);
    }

    private sealed class Request(IReadOnlyList<TokenizedRow> rows, float[] logits, bool isInTurn, CancellationToken cancellation)
    {
        internal IReadOnlyList<TokenizedRow> Rows => rows;

        internal float[] Logits => logits;

        internal CancellationToken Cancellation => cancellation;

        internal TaskCompletionSource<float[]> Done { get; } = new(isInTurn ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);

        internal int Taken { get; set; }

        internal int Finished { get; set; }
    }

    private readonly record struct Part(Request Of, int First, int Count);
}
