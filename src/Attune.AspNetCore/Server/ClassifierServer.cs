using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Attune.AspNetCore.Page;
using Attune.Inference;
using Attune.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Attune.AspNetCore.Server;

/// <summary>A server of one classifier: its endpoints, health, measurements, keys and limits.</summary>
internal sealed class ClassifierServer : IAsyncDisposable
{
    internal const string MetricsPath = "/metrics";
    private const double SlowestBody = 240;                                 // bytes a second, as Kestrel has it
    private const long FewWeights = 1 << 20;
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private readonly WebApplication _app;
    private readonly ServerOptions _options;
    private readonly ClassifierMetrics _metrics;
    private readonly Meter _process = ProcessMetrics.Create();
    private readonly PrometheusText _prometheus;
    private readonly Gate _gate;
    private IDisposable? _explanations;

    private ClassifierServer(WebApplication app, ServerOptions options, Classifier classifier)
    {
        (_app, _options, _metrics) = (app, options, new ClassifierMetrics(classifier));
        _prometheus = new PrometheusText(_metrics.Meter, _process);
        _gate = new Gate(options, _metrics) { IsReady = true };
    }

    /// <summary>Where it listens.</summary>
    internal Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>The addresses that it answers at.</summary>
    internal IEnumerable<string> Routes => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        .Select(endpoint => endpoint.RoutePattern.RawText!);

    /// <summary>Requests that are being answered.</summary>
    internal int InFlight => _gate.InFlight;

    /// <summary>Threads for a model to compute with where none are asked for.</summary>
    /// <remarks>
    /// With layers as small as this a text costs the model no more than it costs HTTP, and the cores are better used by both at once: with 2 layers of 128 on two cores
    /// one thread answers 16,000 texts a second and two threads 11,000.
    /// </remarks>
    internal static int UsualThreads(PreTrainedConfig config) => config.LayerWeights < FewWeights ? 1 : Environment.ProcessorCount;

    /// <summary>The classifier answers a first text, then the server listens.</summary>
    /// <exception cref="AttuneException">The address cannot be had.</exception>
    internal static async Task<ClassifierServer> Start(Classifier classifier, ServerOptions options)
    {
        await classifier.PredictAsync("");
        classifier.AnswersInTurn = true;                                    // what follows an answer here is to write it
        // Empty: no configuration files and no variables of the environment decide where it listens and what it allows.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production, ApplicationName = "attune" });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout);
        // Inline: a request goes on where its bytes arrive, without changing threads; handlers compute a short time or wait, and never block.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true).ConfigureKestrel(kestrel => Configure(kestrel, options));
        var server = new ClassifierServer(builder.Build(), options, classifier);
        server.Map(classifier);
        try
        {
            await server._app.StartAsync();
            return server;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await server.DisposeAsync();
            throw new AttuneException($"{options.Host} port {options.Port} cannot be listened at ({e.InnerException?.Message ?? e.Message}); give another --port or --host.", e);
        }
    }

    /// <summary>Says that no more requests should come, answers those that do while others run, and then listens no more.</summary>
    internal async Task Stop()
    {
        _gate.IsReady = false;
        for (var begin = Stopwatch.GetTimestamp(); _gate.InFlight > 0 && Stopwatch.GetElapsedTime(begin) < _options.DrainTime;) await Task.Delay(Glance);
        await _app.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _explanations?.Dispose();
        _gate.Dispose();
        _prometheus.Dispose();
        _process.Dispose();
        _metrics.Dispose();
    }

    private void Map(Classifier classifier)
    {
        _app.Use((http, next) => _gate.Pass(http, next));
        ClassifierEndpoints.Map(_app, new ClassifyHandler(classifier, _options.Limits, _metrics));
        HealthEndpoints.Map(_app, _gate);
        OpenApiDocument.Map(_app);
        _app.MapGet(MetricsPath, (RequestDelegate)Metrics);
        if (_options.Page) _explanations = PageEndpoints.Map(_app, classifier, _options.Limits, _metrics, _options.Name, _options.Corrections);
    }

    private Task Metrics(HttpContext http)
    {
        http.Response.ContentType = PrometheusText.ContentType;
        return http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(_prometheus.Write()), http.RequestAborted).AsTask();
    }

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = options.Limits.MaxBodyBytes;
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.RequestHeadersTimeout = options.HeadersTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(SlowestBody, options.SlowBodyTimeout);
        void Http1(ListenOptions listen) => listen.Protocols = HttpProtocols.Http1;
        if (options.Address is { } address) kestrel.Listen(address, options.Port, Http1);
        else kestrel.ListenLocalhost(options.Port, Http1);
    }

    /// <summary>Signals are the program's business.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
