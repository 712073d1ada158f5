using System.Diagnostics;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Server;

/// <summary>What every request passes: keys, rates and measurements on the way in; on the way out nothing that fails tells more than one sentence.</summary>
internal sealed class Gate(ServerOptions options, ClassifierMetrics metrics) : IDisposable
{
    private const string NoRoute = "none";

    private readonly ApiKeys _keys = new(options.ApiKeys);
    private readonly RateLimits? _rates = options.RateLimit is { } limit ? new RateLimits(limit) : null;
    private int _inFlight;

    /// <summary>Requests that are being answered.</summary>
    internal int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Whether requests should come: false from the moment the server is to stop.</summary>
    internal bool IsReady { get; set; }

    internal async Task Pass(HttpContext http, RequestDelegate next)
    {
        var start = Stopwatch.GetTimestamp();
        Interlocked.Increment(ref _inFlight);
        var endpoint = http.GetEndpoint();
        try
        {
            http.Response.Headers.XContentTypeOptions = "nosniff";
            // Who is told to go elsewhere does so with the next request.
            if (!IsReady) http.Response.Headers.Connection = "close";
            if (Refusal(http, endpoint) is { } refusal) await refusal.Write(http);
            else await next(http);
            if (http.Response is { HasStarted: false, ContentLength: null, StatusCode: >= StatusCodes.Status400BadRequest }) await Problem.Of(http.Response.StatusCode).Write(http);
        }
        catch (BadHttpRequestException e)
        {
            await Problem.Of(e.StatusCode).Write(http);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
        catch (Exception e)
        {
            options.Report?.Invoke(e);
            await Problem.Fault.Write(http);
        }
        finally
        {
            metrics.Answered((endpoint as RouteEndpoint)?.RoutePattern.RawText ?? NoRoute, http.Response.StatusCode, Stopwatch.GetElapsedTime(start));
            Interlocked.Decrement(ref _inFlight);
        }
    }

    public void Dispose() => _rates?.Dispose();

    private Problem? Refusal(HttpContext http, Endpoint? endpoint)
    {
        if (_keys.AreNone && _rates is null || endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null) return null;
        var key = _keys.AreNone ? -1 : _keys.Find(http.Request);
        if (!_keys.AreNone && key < 0)
        {
            metrics.Rejected("key");
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Problem.Of(StatusCodes.Status401Unauthorized);
        }
        if (_rates?.Wait(key, http) is not { } wait) return null;
        metrics.Rejected("rate");
        return new Problem(StatusCodes.Status429TooManyRequests, "There were too many requests of yours in the last minute; ask again after the time in Retry-After.", wait);
    }
}
