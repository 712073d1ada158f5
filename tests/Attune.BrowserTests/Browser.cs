using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>The machine's own chromium, started once for all tests. Tests skip where there is none: apt-get install chromium, or name one by ATTUNE_CHROMIUM.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string? Executable = new[]
    {
        Environment.GetEnvironmentVariable("ATTUNE_CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
    }.FirstOrDefault(File.Exists);

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Executable is null) return;
        _playwright = await Playwright.CreateAsync();
        // A container has no sandbox for its processes to be put in; only pages of this machine are opened.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>A browser window without history, in which the page is opened and ready.</summary>
    internal async Task<OpenPage> Open(Uri address, BrowserNewContextOptions? options = null, bool isReady = true)
    {
        RequireChromium();
        var context = await _browser!.NewContextAsync(options);
        context.SetDefaultTimeout(20_000);
        var page = await OpenPage.Create(context, address);
        if (isReady) await page.Ready();
        return page;
    }

    internal static void RequireChromium() =>
        Assert.SkipWhen(Executable is null, "There is no chromium on this machine: apt-get install chromium, or name one by ATTUNE_CHROMIUM.");
}

[CollectionDefinition(nameof(Browser))]
public sealed class BrowserCollection : ICollectionFixture<Browser>, ICollectionFixture<ServedModel>;
