using System.Diagnostics;
using System.Net;
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
    private readonly bool _isOfThisMachine = options.ApiKeys.Count == 0 && (options.Address is not { } address || IPAddress.IsLoopback(address));
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
            if ((Stranger(http) ?? Refusal(http, endpoint)) is { } refusal) await refusal.Write(http);
            else await next(http);
            if (http.Response is { HasStarted: false, ContentLength: null, StatusCode: >= StatusCodes.Status400BadRequest }) await Problem.Of(http.Response.StatusCode).Write(http);
        }
        catch (BadHttpRequestException e)
        {
            await Problem.Of(e.StatusCode).Write(http);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer; the status is for the measurements.
            if (!http.Response.HasStarted) http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
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

    /// <summary>A server of this machine alone, which asks for no key, is not to be reached through a name that a foreign page makes point here (DNS rebinding).</summary>
    private Problem? Stranger(HttpContext http)
    {
        if (!_isOfThisMachine) return null;
        var host = http.Request.Host.Host.Trim('[', ']');
        if (host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named)) return null;
        metrics.Rejected("host");
        return new Problem(StatusCodes.Status421MisdirectedRequest, "This server answers at localhost and 127.0.0.1 alone; give it API keys to reach it by other names.");
    }

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
