using System.Globalization;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore;

/// <summary>Carries out what a request asks for, within its time, and turns what goes wrong into a <see cref="Problem"/>.</summary>
internal static class RequestGuard
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    internal static async Task Run(HttpContext http, TimeSpan timeout, ClassifierMetrics metrics, Func<CancellationToken, Task> answer)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        stop.CancelAfter(timeout);
        try
        {
            await answer(stop.Token);
        }
        catch (ProblemException e)
        {
            await e.Problem.Write(http);
        }
        catch (ClassifierBusyException e)
        {
            metrics.Rejected("busy");
            await new Problem(StatusCodes.Status429TooManyRequests, "The server has as many texts waiting as it takes; ask again after the time in Retry-After.", e.RetryAfter).Write(http);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            metrics.Rejected("timeout");
            await new Problem(StatusCodes.Status503ServiceUnavailable, string.Create(CultureInfo.InvariantCulture,
                $"The answer was not ready within {timeout.TotalSeconds:0.###} seconds; send fewer texts at a time, or ask again."), Soon).Write(http);
        }
        catch (OperationCanceledException)
        {
            // Nobody is left to answer; the status is for the measurements.
            if (!http.Response.HasStarted) http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (BadHttpRequestException e)
        {
            await Problem.Of(e.StatusCode).Write(http);
        }
    }
}
