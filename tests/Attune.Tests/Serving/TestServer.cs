using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Attune.AspNetCore.Server;
using Attune.Inference;

namespace Attune.Tests.Serving;

/// <summary>A server of a stub on this machine, and a client of it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(StubEngine engine, Classifier classifier, ClassifierServer server, List<Exception> faults)
    {
        (Engine, Classifier, Server, Faults) = (engine, classifier, server, faults);
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 2000 }) { BaseAddress = server.Address };
    }

    internal StubEngine Engine { get; }

    internal Classifier Classifier { get; }

    internal ClassifierServer Server { get; }

    internal HttpClient Http { get; }

    /// <summary>What should never happen.</summary>
    internal List<Exception> Faults { get; }

    internal static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static async Task<TestServer> Start(ServerOptions? options = null, StubEngine? engine = null, int batchSize = 32, int maxWaiting = 1024, PredictionSettings? settings = null)
    {
        engine ??= new StubEngine();
        var classifier = new Classifier(engine, new ClassifierOptions { BatchSize = batchSize, MaxWaitingRows = maxWaiting, Settings = settings });
        List<Exception> faults = [];
        var server = await ClassifierServer.Start(classifier, (options ?? new ServerOptions()) with
        {
            Port = 0,
            Report = fault =>
            {
                lock (faults) faults.Add(fault);
            },
        });
        return new TestServer(engine, classifier, server, faults);
    }

    /// <summary>Posts JSON.</summary>
    internal Task<HttpResponseMessage> Post(string path, string json) => Http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"), Cancellation);

    /// <summary>Posts JSON; gives the JSON of a good answer.</summary>
    internal async Task<JsonNode> Ask(string path, string json)
    {
        using var answer = await Post(path, json);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Waits for what another thread is about to do.</summary>
    internal static async Task Until(Func<bool> isSo)
    {
        while (!isSo()) await Task.Delay(2, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        Engine.Release();
        Http.Dispose();
        await Server.DisposeAsync();
        Classifier.Dispose();
    }
}
