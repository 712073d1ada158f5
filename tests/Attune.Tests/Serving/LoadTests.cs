using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Attune.AspNetCore;
using Attune.AspNetCore.Server;

namespace Attune.Tests.Serving;

/// <summary>Too much load, clients that leave, answers that come too late. The engine is held where requests are to wait, so that no clock decides.</summary>
public sealed class LoadTests
{
    [Fact]
    public async Task Overload_TenTimesWhatMayWait_RefusesTheRestAndLosesNoAnswer()
    {
        const int batchSize = 16, waiting = 16, requests = 10 * waiting;
        await using var server = await TestServer.Start(batchSize: batchSize, maxWaiting: waiting);
        server.Engine.Hold();
        var first = server.Post("/v1/classify", """{"text": "good"}""");
        await TestServer.Until(() => server.Engine.Batches == 2);                 // the first is that of the start
        var refused = 0;
        var asked = Enumerable.Range(0, requests).Select(async i =>
        {
            var answer = await server.Post("/v1/classify", """{"text": "good film"}""");
            if (answer.StatusCode == HttpStatusCode.TooManyRequests) Interlocked.Increment(ref refused);
            return answer;
        }).ToList();
        await TestServer.Until(() => refused == requests - waiting);
        Assert.Equal(waiting, server.Classifier.WaitingRows);
        server.Engine.Release();
        var answers = await Task.WhenAll(asked);
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(waiting, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        // One alone takes a batch. Of those let in none has taken more than the batch that ran and its own: at most three times as long is the promise.
        Assert.Equal(3, server.Engine.Batches);
        foreach (var answer in answers.Where(answer => answer.StatusCode != HttpStatusCode.OK))
        {
            Assert.InRange(int.Parse(answer.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 60);
            Assert.Equal(429, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestServer.Cancellation))!["status"]!.GetValue<int>());
        }
        Assert.Empty(server.Faults);
    }

    [Fact]
    public async Task Client_GoneWhileItsTextsWait_TheyAreNotComputed()
    {
        await using var server = await TestServer.Start();
        server.Engine.Hold();
        var first = server.Post("/v1/classify", """{"text": "good"}""");
        await TestServer.Until(() => server.Engine.Batches == 2);
        var raw = new RawHttp(server.Server.Address);
        await raw.Send(RawHttp.Head("Content-Length: 37") + """{"texts": ["bad", "bad", "bad film"]}""");
        await TestServer.Until(() => server.Classifier.WaitingRows == 3);
        raw.Vanish();
        await TestServer.Until(() => server.Server.InFlight == 1);
        server.Engine.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        await server.Ask("/v1/classify", """{"text": "good"}""");
        Assert.Equal(3, server.Engine.Rows);                                      // the start's, the first and the last
    }

    [Fact]
    public async Task Answer_NotReadyInTime_IsRefusedWithATimeToAskAgain()
    {
        await using var server = await TestServer.Start(new ServerOptions { Limits = new ClassifierEndpointOptions { Timeout = TimeSpan.FromMilliseconds(50) } });
        server.Engine.Hold();
        using var answer = await server.Post("/v1/classify", """{"text": "good"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.StatusCode, answer.Headers.GetValues("Retry-After").Single()));
        Assert.Contains("0.05 seconds", await answer.Content.ReadAsStringAsync(TestServer.Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_ThatGoesAway_IsCountedAsGone()
    {
        await using var server = await TestServer.Start();
        server.Engine.Hold();
        using var leaving = new CancellationTokenSource();
        var asked = server.Http.PostAsync("/v1/classify", new StringContent("""{"text": "good"}""", System.Text.Encoding.UTF8, "application/json"), leaving.Token);
        await TestServer.Until(() => server.Engine.Batches == 2);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await TestServer.Until(() => server.Server.InFlight == 0);
        Assert.Contains("status=\"499\"", await server.Http.GetStringAsync("/metrics", TestServer.Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_WhileARequestRuns_SaysNotReadyAndAnswersIt()
    {
        await using var server = await TestServer.Start(new ServerOptions { DrainTime = TimeSpan.FromMinutes(5) });
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health/ready", TestServer.Cancellation)).StatusCode);
        server.Engine.Hold();
        var running = server.Post("/v1/classify", """{"text": "good"}""");
        await TestServer.Until(() => server.Engine.Batches == 2);
        var stopping = server.Server.Stop();
        using var ready = await server.Http.GetAsync("/health/ready", TestServer.Cancellation);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (ready.StatusCode, ready.Headers.ConnectionClose == true));
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health/live", TestServer.Cancellation)).StatusCode);
        server.Engine.Release();
        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);
        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Http.GetAsync("/health/live", TestServer.Cancellation));
    }

    [Fact]
    public async Task Classify_RandomBatchesAtOnce_EachTextGetsItsOwnAnswer()
    {
        await using var server = await TestServer.Start(maxWaiting: int.MaxValue);
        var random = new Random(51);
        string[] words = ["good", "bad", "film", "book", "very"];
        var texts = Enumerable.Range(0, 1000).Select(_ => string.Join(' ', random.GetItems(words, random.Next(0, 30)))).ToArray();
        var answers = new ConcurrentDictionary<string, double>();
        List<Task> asked = [];
        for (var (from, count) = (0, 0); from < texts.Length; from += count)
        {
            count = Math.Min(random.Next(1, 40), texts.Length - from);
            asked.Add(Ask(texts[from..(from + count)]));
        }
        await Task.WhenAll(asked);
        Assert.All(texts, text => Assert.Equal(server.Classifier.Predict(text).Score, answers[text], 1e-5));

        async Task Ask(string[] some)
        {
            var answer = (await server.Ask("/v1/classify", new JsonObject { ["texts"] = new JsonArray([.. some.Select(text => (JsonNode)text)]) }.ToJsonString()))["predictions"]!.AsArray();
            foreach (var (i, text) in some.Index()) answers[text] = answer[i]!["score"]!.GetValue<double>();
        }
    }
}
