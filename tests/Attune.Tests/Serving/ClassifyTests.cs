using System.Net;
using System.Text.Json.Nodes;
using Attune.AspNetCore;
using Attune.AspNetCore.Page;
using Attune.AspNetCore.Server;
using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Attune.Tests.Serving;

/// <summary>What is asked and what is answered, through a real socket.</summary>
public sealed class ClassifyTests
{
    // A float written in decimal digits.
    private const double Tolerance = 1e-6;

    [Fact]
    public async Task Classify_OneText_SaysWhatTheClassifierSays()
    {
        await using var server = await TestServer.Start();
        var expected = server.Classifier.Predict("very good film");
        var answer = Assert.Single((await server.Ask("/v1/classify", """{"text": "very good film"}"""))["predictions"]!.AsArray())!;
        Assert.Equal((expected.Label, false), (answer["label"]!.GetValue<string>(), answer["abstained"]!.GetValue<bool>()));
        Assert.Equal(expected.Score, answer["score"]!.GetValue<double>(), Tolerance);
        var scores = answer["probabilities"]!.AsArray();
        Assert.Equal(expected.Scores.OrderDescending(), scores.Select(score => score!["score"]!.GetValue<double>()), (one, other) => Math.Abs(one - other) < Tolerance);
        Assert.Equal(expected.Labels.Order(), scores.Select(score => score!["label"]!.GetValue<string>()).Order());
        Assert.Equal(expected.Label, scores[0]!["label"]!.GetValue<string>());
    }

    [Fact]
    public async Task Classify_ManyTextsAndPairs_AreAnsweredInTheirOrder()
    {
        await using var server = await TestServer.Start();
        var many = (await server.Ask("/v1/classify", """{"texts": ["good", "bad film", ""], "top_k": 1}"""))["predictions"]!.AsArray();
        Assert.Equal(server.Classifier.Predict(["good", "bad film", ""], cancellation: TestServer.Cancellation).Select(one => one.Label), many.Select(one => one!["label"]!.GetValue<string>()));
        Assert.All(many, one => Assert.Single(one!["probabilities"]!.AsArray()));
        var pairs = (await server.Ask("/v1/classify", """{"texts": ["good", "bad"], "pairs": ["film", "very very book"]}"""))["predictions"]!.AsArray();
        Assert.Equal(server.Classifier.Predict("bad", "very very book").Score, pairs[1]!["score"]!.GetValue<double>(), Tolerance);
        var pair = (await server.Ask("/v1/classify", """{"text": "bad", "pair": "very very book"}"""))["predictions"]!.AsArray();
        Assert.Equal(pairs[1]!.ToJsonString(), Assert.Single(pair)!.ToJsonString());
    }

    [Fact]
    public async Task Classify_Threshold_AbstainsBelowIt()
    {
        await using var server = await TestServer.Start();
        foreach (var (threshold, expected) in new[] { (0.0, false), (1.0, true) })
            Assert.Equal(expected, (await server.Ask("/v1/classify", $$"""{"text": "bad film", "threshold": {{threshold}}}"""))["predictions"]![0]!["abstained"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Classify_SeveralLabelsOfAText_NamesThoseThatCount()
    {
        await using var server = await TestServer.Start(engine: new StubEngine(ProblemType.MultiLabelClassification, "a", "b", "c"));
        var expected = server.Classifier.Predict("good book");
        var answer = (await server.Ask("/v1/classify", """{"text": "good book"}"""))["predictions"]![0]!;
        Assert.Equal(expected.ChosenLabels, answer["labels"]!.AsArray().Select(label => label!.GetValue<string>()));
        var all = (await server.Ask("/v1/classify", """{"text": "good book", "threshold": 0}"""))["predictions"]![0]!;
        Assert.Equal(["a", "b", "c"], all["labels"]!.AsArray().Select(label => label!.GetValue<string>()));
        Assert.Equal("multi_label_classification", JsonNode.Parse(await server.Http.GetStringAsync("/v1/model", TestServer.Cancellation))!["problem_type"]!.GetValue<string>());
    }

    /// <summary>The request's threshold decides the labels, so it also decides how sure the model is of them.</summary>
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.99)]
    public async Task Classify_SeveralLabelsWithThreshold_AbstainsByThoseLabels(double threshold)
    {
        var settings = new PredictionSettings { AbstainBelow = 0.55 };
        await using var server = await TestServer.Start(engine: new StubEngine(ProblemType.MultiLabelClassification, "a", "b", "c"), settings: settings);
        using var alike = new Classifier(new StubEngine(ProblemType.MultiLabelClassification, "a", "b", "c"), new ClassifierOptions { Settings = settings with { Threshold = threshold } });
        List<bool> isAsBefore = [];
        foreach (var text in new[] { "good book", "bad", "very good film", "film", "very very bad book", "" })
        {
            var expected = alike.Predict(text);
            var answer = (await server.Ask("/v1/classify", $$"""{"text": "{{text}}", "threshold": {{threshold}}}"""))["predictions"]![0]!;
            Assert.Equal(expected.ChosenLabels, answer["labels"]!.AsArray().Select(label => label!.GetValue<string>()));
            Assert.Equal(expected.IsAbstained, answer["abstained"]!.GetValue<bool>());
            isAsBefore.Add(expected.IsAbstained == server.Classifier.Predict(text).IsAbstained);
        }
        Assert.True(isAsBefore.Contains(false), "The folder's thresholds would have said the same.");
    }

    [Fact]
    public async Task Classify_Regression_GivesANumber()
    {
        await using var server = await TestServer.Start(engine: new StubEngine(ProblemType.Regression, "LABEL_0"));
        var answer = (await server.Ask("/v1/classify", """{"text": "good book"}"""))["predictions"]![0]!.AsObject();
        Assert.Equal("score", Assert.Single(answer).Key);
        Assert.Equal(server.Classifier.Predict("good book").Score, answer["score"]!.GetValue<double>(), Tolerance);
    }

    [Theory]
    [InlineData("""{"inputs": "good film"}""", 1, 3)]
    [InlineData("""{"inputs": ["good film", "bad"], "parameters": {"top_k": 2}, "options": {"wait_for_model": true}}""", 2, 2)]
    [InlineData("""{"inputs": {"text": "good", "text_pair": "bad book"}}""", 1, 3)]
    [InlineData("""{"inputs": [{"text": "good", "text_pair": "bad book"}, {"text_pair": "film", "text": "bad"}], "parameters": null}""", 2, 3)]
    public async Task HuggingFace_EveryForm_GivesAListForEachText(string request, int texts, int classes)
    {
        await using var server = await TestServer.Start();
        var answer = (await server.Ask("/huggingface", request)).AsArray();
        Assert.Equal(texts, answer.Count);
        Assert.All(answer, one => Assert.Equal(classes, one!.AsArray().Count));
        var best = request.Contains("text_pair", StringComparison.Ordinal) ? server.Classifier.Predict("good", "bad book") : server.Classifier.Predict("good film");
        Assert.Equal((best.Label, best.Score), (answer[0]![0]!["label"]!.GetValue<string>(), answer[0]![0]!["score"]!.GetValue<double>()), (one, other) => one.Item1 == other.Item1 && Math.Abs(one.Item2 - other.Item2) < Tolerance);
    }

    [Theory]
    [InlineData("softmax", 1.0)]
    [InlineData("sigmoid", null)]
    [InlineData("none", null)]
    public async Task HuggingFace_FunctionToApply_MakesTheScores(string function, double? sum)
    {
        await using var server = await TestServer.Start();
        var answer = (await server.Ask("/huggingface", $$$"""{"inputs": "good film", "parameters": {"function_to_apply": "{{{function}}}"}}"""))[0]!.AsArray();
        var logits = server.Classifier.Predict("good film").Logits.ToArray();
        var expected = function switch
        {
            "softmax" => logits.Select(logit => Math.Exp(logit) / logits.Sum(other => Math.Exp(other))),
            "sigmoid" => logits.Select(logit => 1 / (1 + Math.Exp(-logit))),
            _ => logits.Select(logit => (double)logit),
        };
        Assert.Equal(expected.OrderDescending(), answer.Select(one => one!["score"]!.GetValue<double>()), (one, other) => Math.Abs(one - other) < Tolerance);
        if (sum is { } whole) Assert.Equal(whole, answer.Sum(one => one!["score"]!.GetValue<double>()), Tolerance);
    }

    [Fact]
    public async Task HuggingFace_Softmax_HasTheTemperature()
    {
        await using var server = await TestServer.Start(settings: new PredictionSettings { Temperature = 3 });
        var usual = await server.Ask("/huggingface", """{"inputs": "good film"}""");
        var asked = await server.Ask("/huggingface", """{"inputs": "good film", "parameters": {"function_to_apply": "softmax"}}""");
        Assert.Equal(usual.ToJsonString(), asked.ToJsonString());
    }

    [Theory]
    [InlineData("/v1/classify", "{}", "has no text")]
    [InlineData("/v1/classify", """{"text": "a", "texts": ["b"]}""", "both text and texts")]
    [InlineData("/v1/classify", """{"texts": []}""", "no text in the request")]
    [InlineData("/v1/classify", """{"texts": ["a", null]}""", "is null")]
    [InlineData("/v1/classify", """{"texts": ["a"], "pairs": ["b", "c"]}""", "1 texts, but 2 second texts")]
    [InlineData("/v1/classify", """{"texts": ["a"], "pair": "b"}""", "mixes them")]
    [InlineData("/v1/classify", """{"text": "a", "top_k": 0}""", "top_k is 0")]
    [InlineData("/v1/classify", """{"text": "a", "threshold": 1.5}""", "between 0 and 1")]
    [InlineData("/v1/classify", """{"text": "a", "text": "b"}""", "goes wrong at line 1")]
    [InlineData("/v1/classify", """{"text": "a", "file": "/etc/passwd"}""", "$.file")]
    [InlineData("/v1/classify", """{"text": "a", "url": "http://127.0.0.1/"}""", "$.url")]
    [InlineData("/v1/classify", """{"text": 5}""", "$.text")]
    [InlineData("/v1/classify", """{"text": "a"} x""", "goes wrong")]
    [InlineData("/v1/classify", "null", "null")]
    [InlineData("/v1/classify", "", "goes wrong")]
    [InlineData("/huggingface", "{}", "goes wrong")]
    [InlineData("/huggingface", """{"inputs": [{"text": "a", "text_pair": "b"}, "c"]}""", "$.inputs")]
    [InlineData("/huggingface", """{"inputs": {"text": "a", "text": "b"}}""", "$.inputs")]
    [InlineData("/huggingface", """{"inputs": [["a"]]}""", "$.inputs")]
    [InlineData("/huggingface", """{"inputs": "a", "parameters": {"function_to_apply": "eval"}}""", "function_to_apply")]
    public async Task Request_ThatIsWrong_GetsOneSentence(string path, string request, string expected)
    {
        await using var server = await TestServer.Start();
        using var raw = new RawHttp(server.Server.Address);
        await raw.Send(RawHttp.Head($"Content-Length: {request.Length}", path) + request);
        Assert.Contains(expected, (await raw.Receive(TestServer.Cancellation)).IsProblem(400).Body, StringComparison.Ordinal);
        Assert.Empty(server.Faults);
    }

    [Fact]
    public async Task Classify_EngineFails_TellsNothingOfIt()
    {
        await using var server = await TestServer.Start();
        server.Engine.Fails = true;
        using var raw = new RawHttp(server.Server.Address);
        await raw.Send(RawHttp.Head("Content-Length: 15") + """{"text": "bad"}""");
        (await raw.Receive(TestServer.Cancellation)).IsProblem(500);
        Assert.IsType<InvalidOperationException>(Assert.Single(server.Faults));
        server.Engine.Fails = false;
        await server.Ask("/v1/classify", """{"text": "bad"}""");
    }

    [Fact]
    public async Task OpenApi_DescribesEveryRoute_AndItsExamplesAreAnswered()
    {
        using var folder = new TemporaryFolder();
        await using var server = await TestServer.Start(new ServerOptions { Corrections = Path.Combine(folder.Path, "corrections.jsonl") });
        var document = JsonNode.Parse(await server.Http.GetStringAsync(OpenApiDocument.Path, TestServer.Cancellation))!;
        // The page's own files and facts are no concern of programs.
        Assert.Equal(server.Server.Routes.Where(route => route is not ("/" or PageEndpoints.Facts) && !route.StartsWith("/page/", StringComparison.Ordinal)).Order(), document["paths"]!.AsObject().Select(path => path.Key).Order());
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            if (methods!["post"] is not { } post) continue;
            foreach (var (_, example) in post["requestBody"]!["content"]!["application/json"]!["examples"]!.AsObject())
            {
                using var answer = await server.Post(path, example!["value"]!.ToJsonString());
                Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task MapClassifier_Twice_MeasuresAllAndEndsWithTheClassifier()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_ => new Classifier(new StubEngine()));
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGroup("/one").MapClassifier();
        app.MapGroup("/two").MapClassifier();
        await app.StartAsync(TestServer.Cancellation);
        var classifier = app.Services.GetRequiredService<Classifier>();
        var meter = ClassifierMetrics.Of(classifier).Meter;
        var (rows, isOver) = (0L, false);
        using (var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter && instrument.Name == "attune.rows") listener.EnableMeasurementEvents(instrument);
            },
            MeasurementsCompleted = (_, _) => isOver = true,
        })
        {
            listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref rows, count));
            listener.Start();
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            foreach (var path in new[] { "/one/v1/classify", "/two/v1/classify" })
            {
                using var answer = await http.PostAsync(path, new StringContent("""{"texts": ["good", "bad"]}""", null, "application/json"), TestServer.Cancellation);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
            Assert.Equal(4, rows);
            Assert.False(isOver);
            await app.DisposeAsync();                                       // and with it the classifier
            Assert.True(isOver, "The meter is still there.");
        }
    }

    [Fact]
    public async Task MapClassifier_InAnotherApplication_Answers()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_ => new Classifier(new StubEngine()));
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGroup("/sentiment").MapClassifier(new ClassifierEndpointOptions { MaxTexts = 2 });
        await app.StartAsync(TestServer.Cancellation);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var good = await http.PostAsync("/sentiment/v1/classify", new StringContent("""{"texts": ["good", "bad"]}""", null, "application/json"), TestServer.Cancellation);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        using var many = await http.PostAsync("/sentiment/v1/classify", new StringContent("""{"texts": ["good", "bad", "bad"]}""", null, "application/json"), TestServer.Cancellation);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, many.StatusCode);
    }
}
