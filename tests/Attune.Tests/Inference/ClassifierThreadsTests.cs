using Attune.Inference;
using Attune.Tests.Datasets;

namespace Attune.Tests.Inference;

/// <summary>One classifier and many threads.</summary>
public sealed class ClassifierThreadsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Predict_SixtyFourThreads_EachGetsItsOwnFromAnEngineThatSeesOneAtATime(bool isAsync)
    {
        var engine = new CountingEngine(_folder);
        using (var classifier = new Classifier(engine, new ClassifierOptions { BatchSize = 8 }))
        {
            await Task.WhenAll(Enumerable.Range(0, 64).Select(thread => OnAThread(() =>
            {
                for (var round = 0; round < 50; round++)
                {
                    string[] texts = [.. Enumerable.Range(0, thread % 12 + 1).Select(i => Text((thread * 7 + i * 5 + round) % 40))];
                    var answers = isAsync ? classifier.PredictAsync(texts, cancellation: Cancellation).GetAwaiter().GetResult() : classifier.Predict(texts);
                    Assert.Equal(texts.Select(text => (double)text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length), answers.Select(answer => answer.Score));
                }
            })));
            Assert.Equal(0, classifier.WaitingRows);
        }
        Assert.Empty(engine.Faults);
        Assert.All(engine.Batches, rows => Assert.InRange(rows, 1, 8));
        Assert.InRange(engine.Threads.Count, 1, 2);                         // libtorch has a team of threads for each
        Assert.Equal(1, engine.Closed);
    }

    [Fact]
    public async Task Predict_OneThread_ComputesThere()
    {
        var engine = new CountingEngine(_folder);
        using var classifier = new Classifier(engine);
        await OnAThread(() =>
        {
            for (var i = 0; i < 3; i++) classifier.Predict(Text(i));
            Assert.Equal([Environment.CurrentManagedThreadId], engine.Threads);
        });
    }

    [Fact]
    public async Task Dispose_WhileOthersPredict_EndsThemWithoutTouchingAClosedEngine()
    {
        var engine = new CountingEngine(_folder);
        var classifier = new Classifier(engine, new ClassifierOptions { BatchSize = 4 });
        using var begun = new CountdownEvent(16);
        var callers = Enumerable.Range(0, 16).Select(thread => OnAThread(() =>
        {
            for (var round = 0; ; round++)
            {
                try
                {
                    if (thread % 2 == 0) classifier.Predict([Text(1), Text(2)]);
                    else classifier.PredictAsync(Text(3), cancellation: Cancellation).GetAwaiter().GetResult();
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
                if (round == 0) begun.Signal();
            }
        })).ToArray();
        begun.Wait(Cancellation);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OnAThread(classifier.Dispose)));
        await Task.WhenAll(callers);
        Assert.Empty(engine.Faults);
        Assert.Equal(1, engine.Closed);
        Assert.Throws<ObjectDisposedException>(() => classifier.Predict("good"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => classifier.PredictAsync("good", cancellation: Cancellation));
    }

    [Fact]
    public async Task PredictAsync_NoLongerWanted_EndsAtOnceWhileABatchRuns()
    {
        using var running = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var engine = new CountingEngine(_folder);
        using var classifier = new Classifier(engine);
        engine.Meanwhile = () =>
        {
            running.Release();
            goOn.Wait(Cancellation);
        };
        var first = classifier.PredictAsync("good", cancellation: Cancellation);
        await running.WaitAsync(Cancellation);
        using var gone = new CancellationTokenSource();
        var waiting = classifier.PredictAsync(["bad", "bad"], cancellation: gone.Token);
        Assert.Equal(2, classifier.WaitingRows);
        await gone.CancelAsync();
        Assert.Equal(gone.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting)).CancellationToken);
        Assert.Equal(0, classifier.WaitingRows);
        goOn.Release();
        Assert.Equal(1, (await first).Score);
        Assert.Equal([1], engine.Batches);
    }

    [Fact]
    public async Task Predict_TooManyWait_WaitsWithThem()
    {
        using var running = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var engine = new CountingEngine(_folder);
        using var classifier = new Classifier(engine, new ClassifierOptions { MaxWaitingRows = 1 });
        await OnAThread(() => classifier.Predict("good"));                  // so that the next thread is not the first
        engine.Meanwhile = () =>
        {
            running.Release();
            goOn.Wait(Cancellation);
        };
        var first = classifier.PredictAsync("good", cancellation: Cancellation);
        await running.WaitAsync(Cancellation);
        var second = classifier.PredictAsync("bad", cancellation: Cancellation);
        await Assert.ThrowsAsync<ClassifierBusyException>(() => classifier.PredictAsync("bad", cancellation: Cancellation));
        var third = OnAThread(() => classifier.Predict("bad bad"));
        goOn.Release(3);
        await Task.WhenAll(first, second, third);
    }

    [Fact]
    public void Predict_TextsThatAreNone_AreRefused()
    {
        using var classifier = new Classifier(new CountingEngine(_folder));
        Assert.Throws<ArgumentException>(() => classifier.Predict([null!], cancellation: Cancellation));
        Assert.Throws<ArgumentException>(() => classifier.Predict(["good"], ["good", "bad"], Cancellation));
        Assert.Throws<ArgumentException>(() => classifier.Predict(["good"], [null!], Cancellation));
        Assert.Empty(classifier.Predict([], cancellation: Cancellation));
    }

    private static string Text(int words) => string.Join(' ', Enumerable.Repeat("good", words));

    private static Task OnAThread(Action action) => Task.Factory.StartNew(action, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
