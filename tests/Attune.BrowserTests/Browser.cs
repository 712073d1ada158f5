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
    private IPage? _kept;

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

    /// <summary>Opens the page and waits until it is ready. A window of its own costs a second, so those who want nothing special of it share one.</summary>
    internal async Task<OpenPage> Open(Uri address, BrowserNewContextOptions? options = null, bool isReady = true)
    {
        RequireChromium();
        var window = options is null ? _kept ??= await Window(null) : await Window(options);
        var page = await OpenPage.Create(window, address, isKept: options is null);
        if (isReady) await page.Ready();
        return page;
    }

    private async Task<IPage> Window(BrowserNewContextOptions? options)
    {
        var context = await _browser!.NewContextAsync(options);
        context.SetDefaultTimeout(20_000);
        return await context.NewPageAsync();
    }

    internal static void RequireChromium() =>
        Assert.SkipWhen(Executable is null, "There is no chromium on this machine: apt-get install chromium, or name one by ATTUNE_CHROMIUM.");
}

[CollectionDefinition(nameof(Browser))]
public sealed class BrowserCollection : ICollectionFixture<Browser>, ICollectionFixture<ServedModel>;
