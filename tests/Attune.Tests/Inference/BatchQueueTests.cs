using Attune.Batching;
using Attune.Inference;

namespace Attune.Tests.Inference;

/// <summary>The queue with a model whose logit is the row's first token, held up where a test wants rows to wait.</summary>
public sealed class BatchQueueTests : IDisposable
{
    private readonly List<int[]> _batches = [];
    private readonly SemaphoreSlim _turns = new(0);
    private readonly SemaphoreSlim _begun = new(0);
    private volatile bool _isHeld;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _turns.Dispose();
        _begun.Dispose();
    }

    [Fact]
    public async Task Compute_ManyCallers_EachGetsItsOwnRows()
    {
        using var queue = Queue(8);
        var calls = await Task.WhenAll(Enumerable.Range(0, 500).Select(call => Task.Run(async () =>
        {
            var ids = Enumerable.Range(call * 100, call % 7 + 1).ToArray();
            return (ids, logits: await queue.Compute(Rows(ids), Cancellation));
        }, Cancellation)));
        Assert.All(calls, call => Assert.Equal(call.ids.Select(id => (float)id), call.logits));
        Assert.All(_batches, batch => Assert.InRange(batch.Length, 1, 8));
        Assert.Equal(calls.Sum(call => call.ids.Length), _batches.Sum(batch => batch.Length));
        Assert.Equal(0, queue.Waiting);
    }

    [Fact]
    public async Task Compute_ManyRowsOfOneCaller_DoNotKeepOthersWaiting()
    {
        using var queue = Queue(8);
        var running = await Hold(queue);
        var large = queue.Compute(Rows([.. Enumerable.Range(100, 40)]), Cancellation);
        var small = queue.Compute(Rows(1, 2), Cancellation);
        Assert.Equal(42, queue.Waiting);
        Release();
        await Task.WhenAll(running, large, small);
        Assert.Contains(1, _batches[1]);
        Assert.Contains(2, _batches[1]);
        Assert.Equal(8, _batches[1].Length);                                // what the small one leaves is the large one's
    }

    [Fact]
    public async Task Compute_CallerGone_ItsRowsAreNotComputed()
    {
        using var queue = Queue(8);
        using var gone = new CancellationTokenSource();
        var running = await Hold(queue);
        var unwanted = queue.Compute(Rows(5, 6), gone.Token);
        await gone.CancelAsync();
        Release();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => unwanted);
        await queue.Compute(Rows(7), Cancellation);
        await running;
        Assert.DoesNotContain(_batches.SelectMany(batch => batch), id => id is 5 or 6);
        Assert.Equal(0, queue.Waiting);
    }

    [Fact]
    public async Task Compute_MoreThanMayWait_IsRefusedAtOnce()
    {
        using var queue = Queue(2, most: 3);
        var running = await Hold(queue);
        var waiting = queue.Compute(Rows(1, 2, 3), Cancellation);
        await Assert.ThrowsAsync<ClassifierBusyException>(() => queue.Compute(Rows(4), Cancellation));
        Release();
        await Task.WhenAll(running, waiting);
        Assert.Equal(5, (await queue.Compute(Rows(1, 2, 3, 4, 5), Cancellation)).Length);       // a caller alone may bring more
    }

    [Fact]
    public async Task Compute_FaultOfABatch_EndsItsCallersAndNoOthers()
    {
        using var queue = Queue(2);
        await Assert.ThrowsAsync<ArithmeticException>(() => queue.Compute(Rows(1, 2, -1, 4, 5), Cancellation));
        Assert.Equal(3f, Assert.Single(await queue.Compute(Rows(3), Cancellation)));
        Assert.Equal(0, queue.Waiting);
    }

    [Fact]
    public async Task Compute_FaultOfOneCaller_SparesThoseOfTheSameBatch()
    {
        using var queue = Queue(8);
        var running = await Hold(queue);
        var (faulty, sound) = (queue.Compute(Rows(-1), Cancellation), queue.Compute(Rows(7, 8), Cancellation));
        Release();
        await Assert.ThrowsAsync<ArithmeticException>(() => faulty);
        Assert.Equal(new[] { 7f, 8 }, await sound);
        Assert.Contains(_batches, batch => batch.Length == 3);
        await running;
    }

    [Fact]
    public async Task Dispose_WhileRowsWait_EndsThem()
    {
        var queue = Queue(2);
        var running = await Hold(queue);
        var waiting = queue.Compute(Rows(1), Cancellation);
        queue.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => queue.Compute(Rows(1), Cancellation));
        Release();
        await running;
    }

    private BatchQueue Queue(int batchSize, int most = int.MaxValue) => new(Compute, 1, batchSize, most);

    /// <summary>A batch that runs until <see cref="Release"/>.</summary>
    private async Task<Task> Hold(BatchQueue queue)
    {
        _isHeld = true;
        var running = queue.Compute(Rows(0), Cancellation);
        await _begun.WaitAsync(Cancellation);
        return running;
    }

    private void Release()
    {
        _isHeld = false;
        _turns.Release();
    }

    private void Compute(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        var ids = rows.Select(row => row.InputIds[0]).ToArray();
        lock (_batches) _batches.Add(ids);
        if (_isHeld)
        {
            _begun.Release();
            _turns.Wait(Cancellation);
        }
        if (ids.Contains(-1)) throw new ArithmeticException("no logarithm of -1");
        for (var i = 0; i < ids.Length; i++) logits[i] = ids[i];
    }

    private static TokenizedRow[] Rows(params int[] ids) => [.. ids.Select(id => new TokenizedRow([id]))];
}
