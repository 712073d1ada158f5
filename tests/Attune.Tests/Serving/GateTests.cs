using System.Net;
using System.Net.Http.Headers;
using Attune.AspNetCore.Server;
using Attune.Cli;

namespace Attune.Tests.Serving;

/// <summary>Keys, rates, health and measurements.</summary>
public sealed class GateTests
{
    private const string Key = "0123456789abcdef", Other = "fedcba9876543210";
    private const string Text = """{"text": "good"}""";

    [Theory]
    [InlineData("Authorization", "Bearer " + Key, HttpStatusCode.OK)]
    [InlineData("Authorization", "bearer " + Other, HttpStatusCode.OK)]
    [InlineData("X-Api-Key", Other, HttpStatusCode.OK)]
    [InlineData("X-Api-Key", Key + "0", HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", "", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "Basic " + Key, HttpStatusCode.Unauthorized)]
    [InlineData("X-Other", Key, HttpStatusCode.Unauthorized)]
    public async Task Request_WithKeys_NeedsOne(string header, string value, HttpStatusCode expected)
    {
        await using var server = await TestServer.Start(new ServerOptions { ApiKeys = [Key, Other] });
        server.Http.DefaultRequestHeaders.TryAddWithoutValidation(header, value);
        foreach (var path in (string[])["/v1/classify", "/huggingface", "/nowhere"])
        {
            using var answer = await server.Post(path, path == "/huggingface" ? """{"inputs": "good"}""" : Text);
            Assert.Equal(path == "/nowhere" && expected == HttpStatusCode.OK ? HttpStatusCode.NotFound : expected, answer.StatusCode);
        }
        foreach (var path in (string[])["/v1/model", "/metrics"])
            Assert.Equal(expected, (await server.Http.GetAsync(path, TestServer.Cancellation)).StatusCode);
        foreach (var path in (string[])["/health/live", "/health/ready", OpenApiDocument.Path])
            Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync(path, TestServer.Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("evil.example", false, HttpStatusCode.MisdirectedRequest)]
    [InlineData("10.0.0.1:8000", false, HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:1", false, HttpStatusCode.OK)]
    [InlineData("[::1]:1", false, HttpStatusCode.OK)]
    [InlineData("evil.example", true, HttpStatusCode.OK)]
    public async Task Host_OfAServerWithoutKeysOnThisMachine_IsThisMachine(string host, bool hasKeys, HttpStatusCode expected)
    {
        await using var server = await TestServer.Start(new ServerOptions { ApiKeys = hasKeys ? [Key] : [] });
        server.Http.DefaultRequestHeaders.Host = host;
        if (hasKeys) server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        Assert.Equal(expected, (await server.Post("/v1/classify", Text)).StatusCode);
    }

    [Fact]
    public async Task RateLimit_OfAKey_IsItsOwn()
    {
        await using var server = await TestServer.Start(new ServerOptions { ApiKeys = [Key, Other], RateLimit = 2 });
        var answers = new List<HttpStatusCode>();
        foreach (var key in (string[])[Key, Key, Key, Other])
        {
            server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var answer = await server.Post("/v1/classify", Text);
            answers.Add(answer.StatusCode);
            if (answer.StatusCode != HttpStatusCode.OK) Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.OK], answers);
    }

    [Fact]
    public async Task RateLimit_WithoutKeys_IsOfTheAddress()
    {
        await using var server = await TestServer.Start(new ServerOptions { RateLimit = 1 });
        Assert.Equal(HttpStatusCode.OK, (await server.Post("/v1/classify", Text)).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await server.Post("/v1/classify", Text)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health/ready", TestServer.Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("# the first\n0123456789abcdef\r\n\nfedcba9876543210\n0123456789abcdef", 2)]
    [InlineData("0123456789abcdef, fedcba9876543210", 2)]
    public void Parse_Keys_AreThoseOfLinesAndCommas(string text, int count) => Assert.Equal(count, ApiKeys.Parse(text, "keys.txt").Count);

    [Theory]
    [InlineData("short", "A key in keys.txt is shorter than 16 characters; make longer ones, such as by openssl rand -hex 32.")]
    [InlineData("# nothing\n", "keys.txt has no API key; give at least one.")]
    public void Parse_NoGoodKeys_AreRefused(string text, string expected) =>
        Assert.Equal(expected, Assert.Throws<AttuneException>(() => ApiKeys.Parse(text, "keys.txt")).Message);

    [Fact]
    public async Task Metrics_AfterRequests_CountThem()
    {
        await using var server = await TestServer.Start();
        for (var i = 0; i < 3; i++) await server.Ask("/v1/classify", """{"texts": ["good", "bad film"]}""");
        using var wrong = await server.Post("/v1/classify", "{");
        using var missing = await server.Http.GetAsync("/nowhere", TestServer.Cancellation);
        string[] lines;
        do                                                                        // a request is counted when its answer has gone
        {
            using var answer = await server.Http.GetAsync("/metrics", TestServer.Cancellation);
            Assert.StartsWith("text/plain; version=0.0.4", answer.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
            lines = (await answer.Content.ReadAsStringAsync(TestServer.Cancellation)).Split('\n');
        }
        while (!lines.Any(line => line.Contains("404", StringComparison.Ordinal)));
        Assert.Contains("attune_requests_total{route=\"/v1/classify\",status=\"200\"} 3", lines);
        Assert.Contains("attune_requests_total{route=\"/v1/classify\",status=\"400\"} 1", lines);
        Assert.Contains("attune_requests_total{route=\"none\",status=\"404\"} 1", lines);
        Assert.Contains("attune_request_duration_seconds_count{route=\"/v1/classify\"} 4", lines);
        Assert.Contains("attune_request_duration_seconds_bucket{route=\"/v1/classify\",le=\"+Inf\"} 4", lines);
        Assert.Contains("attune_rows_total 6", lines);
        Assert.Contains("attune_tokens_total 21", lines);
        Assert.Contains("attune_queue_rows 0", lines);
        Assert.Contains("# TYPE attune_batch_rows histogram", lines);
        Assert.Contains(lines, line => line.StartsWith("process_resident_memory_bytes ", StringComparison.Ordinal));
        // Every sample belongs to a family that is described above it.
        Assert.All(lines.Where(line => line.Length > 0 && line[0] != '#'), line => Assert.Matches("^[a-z_]+(\\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*\\})? [-+0-9.eE]+$", line));
    }

    [Fact]
    public async Task Otlp_Endpoint_ReceivesTheMeasurements()
    {
        var collector = new HttpListener();
        await using var server = await TestServer.Start();
        var port = FreePort();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        var received = collector.GetContextAsync();
        var sending = Task.Run(async () =>
        {
            using var export = MetricsExport.Start(MetricsExport.Address($"http://127.0.0.1:{port}")!);
            await server.Ask("/v1/classify", Text);
            await TestServer.Until(() => server.Server.InFlight == 0);              // then it is counted
        }, TestServer.Cancellation);
        var request = await received.WaitAsync(TestServer.Cancellation);
        using var body = new MemoryStream();
        await request.Request.InputStream.CopyToAsync(body, TestServer.Cancellation);
        request.Response.Close();
        await sending;
        collector.Stop();
        Assert.Equal(("/v1/metrics", "application/x-protobuf"), (request.Request.Url!.AbsolutePath, request.Request.ContentType));
        Assert.Contains("attune.requests", System.Text.Encoding.Latin1.GetString(body.ToArray()), StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
