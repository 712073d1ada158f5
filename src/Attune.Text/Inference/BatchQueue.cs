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

    private readonly object _lock = new();                                  // no Lock: the thread waits on it for work
    private readonly LinkedList<Request> _waiting = [];
    private readonly Action<IReadOnlyList<TokenizedRow>, Span<float>> _compute;
    private readonly int _columns, _batchSize, _most;
    private int _rows;
    private double _secondsPerRow;
    private bool _isClosed, _isStarted;

    /// <summary>Creates the queue; its thread begins with the first request.</summary>
    /// <param name="compute">Fills the logits of rows.</param>
    /// <param name="columns">Logits of a row.</param>
    /// <param name="batchSize">Most rows of a batch.</param>
    /// <param name="most">Rows that may wait.</param>
    internal BatchQueue(Action<IReadOnlyList<TokenizedRow>, Span<float>> compute, int columns, int batchSize, int most) =>
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
    /// <param name="rows">At least one.</param>
    /// <param name="cancellation">Ends the waiting at once. A batch that runs already is computed to its end, for nobody.</param>
    /// <param name="mayRefuse">Whether the request may be refused where too many wait; a caller whose thread waits need not be.</param>
    /// <exception cref="ClassifierBusyException">Too many wait already.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    internal Task<float[]> Compute(IReadOnlyList<TokenizedRow> rows, CancellationToken cancellation, bool mayRefuse = true)
    {
        if (cancellation.IsCancellationRequested) return Task.FromCanceled<float[]>(cancellation);
        var request = new Request(this, rows, new float[rows.Count * _columns]);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(Classifier));
            if (mayRefuse) RequireRoom(rows.Count);
            if (!_isStarted) new Thread(Work) { IsBackground = true, Name = "Attune classifier" }.Start();
            _isStarted = true;
            _waiting.AddLast(request.Place);
            _rows += rows.Count;
            request.CancelBy(cancellation);                                 // before the thread can have it
            Monitor.Pulse(_lock);
        }
        return request.Answer;
    }

    /// <summary>Refuses what waits and all that comes.</summary>
    public void Dispose()
    {
        Request[] left;
        lock (_lock)
        {
            _isClosed = true;
            left = [.. _waiting];
            _waiting.Clear();
            _rows = 0;
            Monitor.Pulse(_lock);
        }
        foreach (var request in left) request.End(new ObjectDisposedException(nameof(Classifier)));
    }

    private void Work()
    {
        while (Take() is { Count: > 0 } parts) Run(parts);
    }

    private void Run(List<Part> parts)
    {
        try
        {
            var rows = new List<TokenizedRow>(_batchSize);
            var (at, tokens) = (0, 0);
            foreach (var (request, first, count) in parts)
                for (var i = first; i < first + count; i++)
                {
                    rows.Add(request.Rows[i]);
                    tokens += rows[^1].Length;
                }
            var logits = new float[rows.Count * _columns];
            var start = Stopwatch.GetTimestamp();
            _compute(rows, logits);
            var taken = Stopwatch.GetElapsedTime(start);
            Volatile.Write(ref _secondsPerRow, (1 - Newest) * _secondsPerRow + Newest * taken.TotalSeconds / rows.Count);
            Done?.Invoke(new BatchReport(rows.Count, tokens, taken));
            at = 0;
            var finished = new List<Request>(parts.Count);
            foreach (var (request, first, count) in parts)
            {
                if (request.Put(logits.AsSpan(at, count * _columns), first * _columns)) finished.Add(request);
                at += count * _columns;
            }
            Answer(finished);
        }
        catch (Exception fault)                                             // of this batch: the next one is another
        {
            if (parts.Count == 1) Drop(parts[0].Of, fault);
            else foreach (var part in parts) Run([part]);                   // only who brought the fault shall have it
        }
    }

    private static void Answer(List<Request> finished)
    {
        if (finished.Exists(request => !request.IsInTurn))
        {
            foreach (var request in finished) request.End();
            return;
        }
        var size = (finished.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount;
        for (var from = 0; from < finished.Count; from += size)
            ThreadPool.UnsafeQueueUserWorkItem(static some =>
            {
                foreach (var request in some) request.End();
            }, finished.GetRange(from, Math.Min(size, finished.Count - from)), preferLocal: false);
    }

    /// <summary>Rows for the next batch, a like share of each who waits, as soon as there are any; none at the end.</summary>
    private List<Part> Take()
    {
        lock (_lock)
        {
            while (_waiting.Count == 0 && !_isClosed) Monitor.Wait(_lock);
            var parts = new List<Part>(Math.Min(_waiting.Count, _batchSize));
            var (room, callers) = (_batchSize, _waiting.Count);
            while (room > 0 && _waiting.First is { Value: var request } first)
            {
                var count = Math.Min(Math.Max(room / Math.Max(callers--, 1), 1), request.Rows.Count - request.Taken);
                parts.Add(new Part(request, request.Taken, count));
                request.Taken += count;
                _rows -= count;
                room -= count;
                _waiting.RemoveFirst();
                if (request.Taken < request.Rows.Count) _waiting.AddLast(first);
            }
            return parts;
        }
    }

    private void Drop(Request request, Exception fault)
    {
        lock (_lock)
        {
            if (request.Place.List is not null)
            {
                _waiting.Remove(request.Place);
                _rows -= request.Rows.Count - request.Taken;
            }
        }
        request.End(fault);
    }

    /// <summary>The rows of one caller, on their way.</summary>
    private sealed class Request
    {
        private readonly BatchQueue _queue;
        private readonly float[] _logits;
        private readonly TaskCompletionSource<float[]> _done;
        private CancellationTokenRegistration _cancellation;
        private int _missing;

        internal Request(BatchQueue queue, IReadOnlyList<TokenizedRow> rows, float[] logits)
        {
            (_queue, Rows, _logits, _missing, IsInTurn) = (queue, rows, logits, logits.Length, queue.AnswersInTurn);
            _done = new(IsInTurn ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
            Place = new LinkedListNode<Request>(this);
        }

        internal IReadOnlyList<TokenizedRow> Rows { get; }

        /// <summary>Its place among those that wait, while it does.</summary>
        internal LinkedListNode<Request> Place { get; }

        internal Task<float[]> Answer => _done.Task;

        /// <summary>Whether its caller goes on where it is answered.</summary>
        internal bool IsInTurn { get; }

        /// <summary>Rows that are in a batch, or were.</summary>
        internal int Taken { get; set; }

        internal void CancelBy(CancellationToken cancellation) => _cancellation = cancellation.UnsafeRegister(
            static (request, token) => ((Request)request!)._queue.Drop((Request)request, new OperationCanceledException(token)), this);

        /// <summary>Takes the logits of some of its rows. Tells whether these were the last.</summary>
        internal bool Put(ReadOnlySpan<float> logits, int at)
        {
            logits.CopyTo(_logits.AsSpan(at));
            return (_missing -= logits.Length) == 0;
        }

        /// <summary>Answers it.</summary>
        internal void End()
        {
            _done.TrySetResult(_logits);
            _cancellation.Unregister();                                     // a token of a long life shall not hold the rows
        }

        /// <summary>Ends it by a fault, or since it is no longer wanted.</summary>
        internal void End(Exception fault)
        {
            if (IsInTurn) ThreadPool.UnsafeQueueUserWorkItem(static ended => ended.Request.Fail(ended.Fault), (Request: this, Fault: fault), preferLocal: false);
            else Fail(fault);
            _cancellation.Unregister();
        }

        private void Fail(Exception fault)
        {
            if (fault is OperationCanceledException { CancellationToken: { IsCancellationRequested: true } token }) _done.TrySetCanceled(token);
            else _done.TrySetException(fault);
        }
    }

    private readonly record struct Part(Request Of, int First, int Count);
}
