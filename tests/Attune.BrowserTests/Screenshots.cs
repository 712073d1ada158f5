using Attune.EndToEndTests;
using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>The pictures of docs/page.md, made anew with ATTUNE_WRITE_DOCS=1.</summary>
[Collection(nameof(Browser))]
public sealed class Screenshots(Browser browser, ServedModel model)
{
    private static readonly string Folder = Path.Combine(Root(), "docs", "images");

    [Theory]
    [InlineData("page-light.png", ColorScheme.Light, 900)]
    [InlineData("page-dark.png", ColorScheme.Dark, 900)]
    [InlineData("page-narrow.png", ColorScheme.Light, 360)]
    public async Task Picture_OneText(string name, ColorScheme scheme, int width)
    {
        RequireTimeUnless(name == "page-light.png");
        await using var open = await browser.Open(model.Address, Window(scheme, width));
        await open.Classify("the film was lovely and very good, the meal was fine, and the song a bit dull");
        await Assertions.Expect(open.Page.Locator(".word.for").First).ToBeVisibleAsync();
        await Keep(open.Page.Locator("#try"), name);
    }

    [Theory]
    [InlineData("page-file.png", ColorScheme.Light, 900)]
    [InlineData("page-file-dark.png", ColorScheme.Dark, 900)]
    public async Task Picture_File(string name, ColorScheme scheme, int width)
    {
        RequireTimeUnless(name == "page-file.png");
        await using var open = await browser.Open(model.Address, Window(scheme, width));
        await open.Choose("reviews.csv", "id,review,country\n" + string.Concat(TinyModel.Rows(120, new Random(9)).Select((row, i) => $"{i + 1},{row.Text},DE\n")));
        await open.Page.Locator("#columns-step button").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#result-step a")).ToBeVisibleAsync();
        await Keep(open.Page.Locator("#file"), name);
    }

    private static bool IsWritten => Environment.GetEnvironmentVariable("ATTUNE_WRITE_DOCS") == "1";

    private static void RequireTimeUnless(bool isUsual) => LongForm.RequireUnless(isUsual || IsWritten);

    private static BrowserNewContextOptions Window(ColorScheme scheme, int width) =>
        new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 700 }, ReducedMotion = ReducedMotion.Reduce };

    private static async Task Keep(ILocator part, string name)
    {
        var picture = await part.ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled });
        Assert.True(picture.Length is > 5_000 and < 200_000, $"{name} has {picture.Length} bytes");
        if (IsWritten) await File.WriteAllBytesAsync(Path.Combine(Directory.CreateDirectory(Folder).FullName, name), picture);
        else Assert.True(File.Exists(Path.Combine(Folder, name)), $"docs/images/{name} is missing: run this with ATTUNE_WRITE_DOCS=1.");
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Attune.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
