using System.Net;
using Attune.AspNetCore.Page;
using Attune.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Attune.AspNetCore.Server;

/// <summary>A server of one classifier: its endpoints, health, measurements, keys and limits.</summary>
internal sealed class ClassifierServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ClassifierServer(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    internal Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Starts to listen.</summary>
    /// <exception cref="AttuneException">The address cannot be had.</exception>
    internal static async Task<ClassifierServer> Start(Classifier classifier, ServerOptions options)
    {
        // Empty: no configuration files and no variables of the environment decide where it listens and what it allows.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production, ApplicationName = "attune" });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        var app = builder.Build();
        ClassifierEndpoints.Map(app, new ClassifyHandler(classifier, options.Limits));
        if (options.Page) PageEndpoints.Map(app, app, classifier, options);
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync();
            throw new AttuneException($"{options.Host} port {options.Port} cannot be listened at ({e.InnerException?.Message ?? e.Message}); give another --port or --host.", e);
        }
        return new ClassifierServer(app);
    }

    /// <summary>Takes no more requests, and waits for those that run.</summary>
    internal Task Stop() => _app.StopAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxRequestBodySize = options.Limits.MaxBodyBytes;
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        kestrel.Limits.RequestHeadersTimeout = options.HeadersTimeout;
        if (options.Host == "localhost") kestrel.ListenLocalhost(options.Port);
        else kestrel.Listen(IPAddress.TryParse(options.Host, out var address) ? address
            : throw new AttuneException($"{options.Host} is no address to listen at; give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all."), options.Port);
    }

    /// <summary>Signals are the program's business.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
