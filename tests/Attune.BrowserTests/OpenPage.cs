using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>The page in a browser. What it asks of other servers, and what the browser complains of, is written down.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly Uri _address;
    private readonly bool _isKept;

    private OpenPage(IPage page, Uri address, bool isKept)
    {
        (Page, _address, _isKept) = (page, address, isKept);
        page.Console += OnConsole;
        page.PageError += OnError;
        page.Request += OnRequest;
    }

    internal IPage Page { get; }

    /// <summary>What the browser complained of: faults of the page, and what the content security policy forbids.</summary>
    internal ConcurrentQueue<string> Complaints { get; } = [];

    internal ConcurrentQueue<string> Requests { get; } = [];

    internal static async Task<OpenPage> Create(IPage window, Uri address, bool isKept)
    {
        var page = new OpenPage(window, address, isKept);
        await window.GotoAsync(address.ToString());
        return page;
    }

    /// <summary>Waits until it knows its model.</summary>
    internal Task Ready() => Assertions.Expect(Page.Locator("#model")).ToContainTextAsync("reads", new() { Timeout = 20_000 });

    internal ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Types a text and waits for its answer.</summary>
    internal async Task<string> Classify(string text)
    {
        await Page.GetByLabel("Text", new() { Exact = true }).FillAsync(text);
        await Button("Classify").ClickAsync();
        var answer = Page.Locator("#says", new() { HasTextString = "Answer:" });
        await Assertions.Expect(answer).ToBeAttachedAsync();
        return await Page.Locator(".verdict").InnerTextAsync();
    }

    /// <summary>Chooses a file as its dialog would.</summary>
    internal Task Choose(string name, string content) => Choose(name, System.Text.Encoding.UTF8.GetBytes(content));

    internal Task Choose(string name, byte[] content) =>
        Page.Locator("#csv").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "text/csv", Buffer = content });

    /// <summary>Labels the file chosen, downloads the result and gives its name and content.</summary>
    internal async Task<(string Name, string Content)> Labelled()
    {
        await Page.Locator("#columns-step button").ClickAsync();
        return await Downloaded();
    }

    internal async Task<(string Name, string Content)> Downloaded()
    {
        var download = await Page.RunAndWaitForDownloadAsync(() => Page.Locator("#result-step a").ClickAsync());
        return (download.SuggestedFilename, await File.ReadAllTextAsync(await download.PathAsync()));
    }

    /// <summary>Ends it; fails if the browser complained, or if anything but its own server was asked.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isKept) await Page.UnrouteAllAsync();
        else await Page.Context.CloseAsync();
        Page.Console -= OnConsole;
        Page.PageError -= OnError;
        Page.Request -= OnRequest;
        Assert.Empty(Complaints);
        Assert.All(Requests, url => Assert.True(url.StartsWith(_address.GetLeftPart(UriPartial.Authority) + "/", StringComparison.Ordinal) || url.StartsWith("blob:", StringComparison.Ordinal), url));
    }

    private void OnConsole(object? sender, IConsoleMessage message)
    {
        // A refused request is an error to the browser; the page tells of it itself.
        if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) Complaints.Enqueue(message.Text);
    }

    private void OnError(object? sender, string fault) => Complaints.Enqueue(fault);

    private void OnRequest(object? sender, IRequest request) => Requests.Enqueue(request.Url);
}
