using System.Threading.Channels;
using Attune.AspNetCore.Requests;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Explanations;

/// <summary>Says which words of a text speak for a label. It costs as much as some dozens of answers, so few may wait for it.</summary>
/// <remarks>One thread does it, because libtorch keeps a team of threads for each that calls it.</remarks>
internal sealed class ExplainHandler : IDisposable
{
    private const int MostWaiting = 8;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly Channel<Work> _waiting = Channel.CreateBounded<Work>(MostWaiting);
    private readonly Classifier _classifier;
    private readonly ClassifierEndpointOptions _options;
    private readonly ClassifierMetrics _metrics;
    private readonly Lazy<Thread> _thread;

    internal ExplainHandler(Classifier classifier, ClassifierEndpointOptions options, ClassifierMetrics metrics)
    {
        (_classifier, _options, _metrics) = (classifier, options, metrics);
        _thread = new Lazy<Thread>(() =>
        {
            var thread = new Thread(Explain) { IsBackground = true, Name = "Attune explanations" };
            thread.Start();
            return thread;
        });
    }

    /// <summary>Ends the thread once it has done what waits.</summary>
    public void Dispose() => _waiting.Writer.TryComplete();

    internal Task Explain(HttpContext http) => RequestGuard.Run(http, _options.Timeout, _metrics, async cancellation =>
    {
        var request = await RequestBody.Read(http, ExplainJson.Default.ExplainRequest, _options.MaxBodyBytes, cancellation);
        request.Check(_classifier);
        _ = _thread.Value;
        var work = new Work(request, new TaskCompletionSource<Attributions>(TaskCreationOptions.RunContinuationsAsynchronously), cancellation);
        if (!_waiting.Writer.TryWrite(work))
        {
            _metrics.Rejected("busy");
            throw new ProblemException(new Problem(StatusCodes.Status429TooManyRequests, "Others wait for explanations already; ask again after the time in Retry-After.", Soon));
        }
        await JsonAnswer.Write(http, JsonAnswer.ContentType, await work.Done.Task.WaitAsync(cancellation), ExplainRequest.Answer);
    });

    private void Explain()
    {
        var reader = _waiting.Reader;
        while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (reader.TryRead(out var work))
            {
                if (work.Cancellation.IsCancellationRequested) continue;    // nobody waits for it any more
                try
                {
                    work.Done.TrySetResult(_classifier.Explain(work.Request.Text!, work.Request.Pair, new AttributionOptions { Label = work.Request.Label }, work.Cancellation));
                }
                catch (Exception fault)                                     // of this text: the next one is another
                {
                    work.Done.TrySetException(fault);
                }
            }
        }
    }

    private readonly record struct Work(ExplainRequest Request, TaskCompletionSource<Attributions> Done, CancellationToken Cancellation);
}
