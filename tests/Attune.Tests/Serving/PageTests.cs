using System.Net;
using Attune.AspNetCore.Server;
using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Serving;

/// <summary>What the page asks for beyond the endpoints for programs; the page itself is tested in a browser.</summary>
public sealed class PageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Explain_Words_AreThoseOfTheClassifierAtTheirPlaces()
    {
        await using var server = await TestServer.Start();
        var answer = await server.Ask("/v1/explain", """{"text": "good, bad film", "label": "mixed"}""");
        var expected = server.Classifier.Explain("good, bad film", null, new AttributionOptions { Label = "mixed" }, TestContext.Current.CancellationToken);
        Assert.Equal(("mixed", "occlusion"), (answer["label"]!.GetValue<string>(), answer["method"]!.GetValue<string>()));
        Assert.Equal(expected.Words.Select(word => (word.Start, word.End - word.Start, (float)word.Score)),
            answer["words"]!.AsArray().Select(word => (word!["start"]!.GetValue<int>(), word["length"]!.GetValue<int>(), word["influence"]!.GetValue<float>())));
    }

    [Fact]
    public async Task Explain_ManyAtOnce_FewWaitAndTheOthersAreToldWhen()
    {
        await using var server = await TestServer.Start();
        server.Engine.Hold();
        var asked = Enumerable.Range(0, 20).Select(_ => server.Post("/v1/explain", """{"text": "good"}""")).ToList();
        for (var refused = 0; refused < 11; refused++)
        {
            var first = await Task.WhenAny(asked);
            Assert.Equal((HttpStatusCode)429, (await first).StatusCode);
            Assert.NotNull((await first).Headers.RetryAfter);
            asked.Remove(first);
        }
        server.Engine.Release();
        // Eight wait; a ninth has left the queue if its turn came before the others did.
        Assert.InRange((await Task.WhenAll(asked)).Count(answer => answer.StatusCode == HttpStatusCode.OK), 8, 9);
    }

    [Theory]
    [InlineData("/v1/explain", "{}")]
    [InlineData("/v1/explain", """{"text": "good", "label": "unknown"}""")]
    [InlineData("/v1/explain", """{"text": "good", "file": "/etc/passwd"}""")]
    [InlineData("/v1/explain", """{"text": "\ud800"}""")]
    [InlineData("/v1/corrections", """{"text": " ", "label": "mixed", "predicted": "mixed"}""")]
    [InlineData("/v1/corrections", """{"text": "good\u0000", "label": "mixed", "predicted": "mixed"}""")]
    [InlineData("/v1/corrections", """{"text": "good", "predicted": "mixed"}""")]
    [InlineData("/v1/corrections", """{"text": "good", "label": "unknown", "predicted": "mixed"}""")]
    [InlineData("/v1/corrections", """{"text": "good", "label": ["mixed"], "predicted": "mixed"}""")]
    [InlineData("/v1/corrections", """{"text": "good", "label": "mi\ud800xed", "predicted": "mixed"}""")]
    [InlineData("/v1/corrections", """{"text": "good", "label": "mixed", "predicted": 1}""")]
    [InlineData("/v1/corrections", "[1")]
    public async Task Request_ThatMakesNoSense_IsRefusedWithOneSentence(string path, string body)
    {
        await using var server = await Start(ProblemType.SingleLabelClassification);
        using var answer = await server.Post(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Empty(server.Faults);
        Assert.False(File.Exists(Corrections));
    }

    [Theory]
    [InlineData(ProblemType.MultiLabelClassification, """["mixed","positive"]""", """["mixed", "mixed"]""")]
    [InlineData(ProblemType.MultiLabelClassification, "[]", "\"mixed\"")]
    [InlineData(ProblemType.Regression, "-1.5", "\"1\"")]
    [InlineData(ProblemType.Regression, "0", "1e999")]
    public async Task Correction_OfOtherKindsOfModel_HasTheirKindOfLabel(ProblemType kind, string right, string wrong)
    {
        await using var server = await Start(kind);
        using var refused = await server.Post("/v1/corrections", $$"""{"text": "good", "label": {{wrong}}, "predicted": {{right}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using var saved = await server.Post("/v1/corrections", $$"""{"text": "good", "pair": "bad", "label": {{right}}, "predicted": {{right}}}""");
        Assert.Equal(HttpStatusCode.Created, saved.StatusCode);
        Assert.StartsWith($$"""{"sentence1":"good","sentence2":"bad","label":{{right}},""", await File.ReadAllTextAsync(Corrections, TestServer.Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Correction_FileThatCannotBeWritten_IsNotNamedToTheClient()
    {
        await using var server = await Start(ProblemType.SingleLabelClassification);
        Directory.CreateDirectory(Corrections);                // a folder where the file is to be
        using var answer = await server.Post("/v1/corrections", """{"text": "good", "label": "mixed", "predicted": "mixed"}""");
        Assert.Equal(HttpStatusCode.InsufficientStorage, answer.StatusCode);
        Assert.DoesNotContain("corrections.jsonl", await answer.Content.ReadAsStringAsync(TestServer.Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_WithKeys_IsOpenAndItsQuestionsAreNot()
    {
        await using var server = await TestServer.Start(new ServerOptions { ApiKeys = ["a-secret-key-of-tests"], Corrections = Corrections });
        foreach (var (path, expected) in new[] { ("/", 200), ("/page/page.js", 200), ("/v1/page", 401), ("/v1/model", 401), ("/page/../v1/page", 401) })
            Assert.Equal(expected, (int)(await server.Http.GetAsync(path, TestServer.Cancellation)).StatusCode);
        foreach (var path in new[] { "/v1/explain", "/v1/corrections" }) Assert.Equal(HttpStatusCode.Unauthorized, (await server.Post(path, "{}")).StatusCode);
    }

    private string Corrections => Path.Combine(_folder.Path, "corrections.jsonl");

    private Task<TestServer> Start(ProblemType kind) => TestServer.Start(new ServerOptions { Corrections = Corrections },
        kind == ProblemType.Regression ? new StubEngine(kind, "number") : new StubEngine(kind));
}
