using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>Wrong keys, servers that are gone, and texts and labels that want to be more than text.</summary>
[Collection(nameof(Browser))]
public sealed class SafetyTests(Browser browser, ServedModel model)
{
    private static readonly string[] HostileLabels = ["<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "\u202Eevil\"'`${1}"];

    [Fact]
    public async Task Key_WrongThenRight_IsAskedForAndKeptInThePageAlone()
    {
        await File.WriteAllTextAsync(Path.Combine(model.Folder, "keys.txt"), "a-secret-key-of-tests\n", TestContext.Current.CancellationToken);
        using var server = model.Serve("--api-key-file", "keys.txt");
        await using var open = await browser.Open(server.Address, isReady: false);
        var key = open.Page.GetByLabel("API key");
        await Assertions.Expect(key).ToBeFocusedAsync();
        await key.FillAsync("wrong");
        await key.PressAsync("Enter");
        await Assertions.Expect(open.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The server does not know this key.");
        await key.FillAsync("a-secret-key-of-tests");
        await key.PressAsync("Enter");
        await open.Ready();
        await Assertions.Expect(open.Page.GetByLabel("Text", new() { Exact = true })).ToBeFocusedAsync();
        Assert.Contains("positive", await open.Classify("a good and great film"), StringComparison.Ordinal);
        await open.Page.GetByText("The same by curl").ClickAsync();
        Assert.Contains("-H \"Authorization: Bearer $ATTUNE_API_KEY\"", await open.Page.Locator("pre code").InnerTextAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret-key-of-tests", await open.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await open.Page.EvaluateAsync<int>("localStorage.length + sessionStorage.length + document.cookie.length"));
        await open.Page.ReloadAsync();
        await Assertions.Expect(key).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Server_Gone_SaysSoAndGoesOnWhenItIsBack()
    {
        await using var open = await browser.Open(model.Address);
        await open.Page.RouteAsync("**/v1/**", route => route.AbortAsync("connectionrefused"));
        await open.Page.GetByLabel("Text", new() { Exact = true }).FillAsync("the film was good");
        await open.Button("Classify").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#says")).ToHaveTextAsync("The server does not answer. Is it still running?");
        await Assertions.Expect(open.Page.Locator("#trouble")).ToBeVisibleAsync();
        await open.Page.UnrouteAsync("**/v1/**");
        await open.Button("Try again").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#trouble")).ToBeHiddenAsync();
        Assert.Contains("positive", await open.Classify("the film was good"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_Busy_IsAskedAgainWhenItSaid()
    {
        await using var open = await browser.Open(model.Address);
        var refusals = 0;
        await open.Page.RouteAsync("**/v1/classify", route => refusals++ < 2
            ? route.FulfillAsync(new() { Status = 429, Headers = new Dictionary<string, string> { ["Retry-After"] = "1" }, Body = "{}" }) : route.ContinueAsync());
        Assert.Contains("positive", await open.Classify("the film was good"), StringComparison.Ordinal);
        Assert.Equal(3, refusals);
    }

    /// <summary>Nothing of what a text, a file or a label says becomes part of the page; OpenPage fails on any complaint of the browser.</summary>
    [Fact]
    public async Task Texts_Hostile_StayText()
    {
        const string hostile = "</textarea></script><script>document.title='x'</script><img src=x onerror=\"document.title='x'\"> good \u202E film \0 {{7*7}}";
        await using var open = await browser.Open(model.Address);
        var title = await open.Page.TitleAsync();
        await open.Classify(hostile);
        await open.Choose("<b>x</b>.csv", "text,<img src=x onerror=alert(1)>\n\"<script>alert(1)</script>, good\",<b>b</b>\n");
        await open.Labelled();
        Assert.Equal(title, await open.Page.TitleAsync());
        Assert.Equal(0, await open.Page.Locator("img, script:not([src]), main b").CountAsync());
        await Assertions.Expect(open.Page.Locator("#file-says")).ToContainTextAsync("<b>x</b>.csv: 1 row");
    }

    [Fact]
    public async Task Labels_Hostile_StayTextAndRunInNoSpreadsheet()
    {
        var rows = EndToEndTests.TinyModel.Rows(320, new Random(3)).Select((row, i) => $"{row.Text},\"{HostileLabels[row.Label == "positive" ? i % 4 / 2 : 2].Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        await File.WriteAllLinesAsync(Path.Combine(model.Folder, "hostile.csv"), rows.Prepend("text,label"), TestContext.Current.CancellationToken);
        model.Train("hostile", "hostile.csv");
        using var server = model.ServeRun("hostile", "--corrections", "hostile.jsonl");
        await using var open = await browser.Open(server.Address);
        await open.Classify("the film was good");
        foreach (var label in HostileLabels) Assert.Contains(label, await open.Page.Locator("#label-list").InnerTextAsync(), StringComparison.Ordinal);
        await open.Page.GetByLabel("The right label").SelectOptionAsync(new SelectOptionValue { Label = HostileLabels[0] });
        await open.Button("Save as training data").ClickAsync();
        await Assertions.Expect(open.Page.GetByText("Saved:")).ToContainTextAsync(HostileLabels[0]);
        await open.Choose("x.csv", "text\nthe film was good\nthe meal was great\nthe song was fine\nthe trip was lovely\nthe room was bad\n");
        var (_, csv) = await open.Labelled();
        Assert.DoesNotContain("\n=", csv, StringComparison.Ordinal);
        Assert.DoesNotContain(",=", csv, StringComparison.Ordinal);
        Assert.DoesNotContain(",\"=", csv, StringComparison.Ordinal);
        Assert.Equal(0, await open.Page.Locator("img").CountAsync());
    }

    /// <summary>A page of somewhere else can neither frame this one nor write into the training data of a server on the same machine.</summary>
    [Fact]
    public async Task OtherSites_CannotFrameNorCorrect()
    {
        Browser.RequireChromium();
        using var http = new HttpClient { BaseAddress = model.Address };
        var cancellation = TestContext.Current.CancellationToken;
        var page = await http.GetAsync("/", cancellation);
        Assert.Contains("frame-ancestors 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        // What a form or a script elsewhere may send without asking first.
        using var simple = new StringContent("""{"text": "bad", "label": "positive", "predicted": "negative"}""", Encoding.UTF8, "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await http.PostAsync("/v1/corrections", simple, cancellation)).StatusCode);
        using var asks = new HttpRequestMessage(HttpMethod.Options, "/v1/corrections") { Headers = { { "Origin", "http://elsewhere.test" }, { "Access-Control-Request-Method", "POST" } } };
        Assert.False((await http.SendAsync(asks, cancellation)).Headers.Contains("Access-Control-Allow-Origin"));
        foreach (var (text, label) in new[] { ("good", "unknown"), (" ", "positive"), ("good\0", "positive") })
            Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsJsonAsync("/v1/corrections", new { text, label, predicted = "negative" }, cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.DeleteAsync("/v1/corrections/..%2Fx", cancellation)).StatusCode);
    }

    [Fact]
    public async Task Files_Unchanged_AreNotSentAgain()
    {
        Browser.RequireChromium();
        using var http = new HttpClient { BaseAddress = model.Address };
        var cancellation = TestContext.Current.CancellationToken;
        var first = await http.GetAsync("/page/page.js", cancellation);
        Assert.Equal("text/javascript", first.Content.Headers.ContentType!.MediaType);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/page/page.js") { Headers = { { "If-None-Match", first.Headers.ETag!.ToString() } } };
        Assert.Equal(HttpStatusCode.NotModified, (await http.SendAsync(again, cancellation)).StatusCode);
    }
}
