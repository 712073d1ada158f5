using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>The page for people who do not see it, see it large, or use no mouse.</summary>
[Collection(nameof(Browser))]
public sealed class AccessTests(Browser browser, ServedModel model)
{
    /// <summary>Every rule that axe-core has for WCAG 2.2 A and AA, contrast among them, with all parts of the page shown.</summary>
    [Theory]
    [InlineData(ColorScheme.Light, 1000)]
    [InlineData(ColorScheme.Dark, 1000)]
    [InlineData(ColorScheme.Light, 340)]
    public async Task Page_EveryPartShown_BreaksNoRuleOfWcag(ColorScheme scheme, int width)
    {
        await using var open = await browser.Open(model.Address, new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 800 }, ReducedMotion = ReducedMotion.Reduce });
        await ShowEverything(open);
        var found = await open.Page.RunAxe(new() { RunOnly = new() { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] } });
        Assert.Empty(found.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id}: {node.Html}")));
        // What axe cannot decide is the contrast of words on a colour mixed of two.
        Assert.Empty(found.Incomplete.Where(rule => rule.Id != "color-contrast").Select(rule => rule.Id));
        await AssertContrast(open);
    }

    [Fact]
    public async Task Controls_EachReachedByTab_HasANameAndAVisibleFocus()
    {
        await using var open = await browser.Open(model.Address);
        await ShowEverything(open);
        await open.Page.EvaluateAsync("document.activeElement.blur()");
        HashSet<string> seen = [];
        for (var i = 0; i < 60; i++)
        {
            await open.Page.Keyboard.PressAsync("Tab");
            var (what, outline) = await open.Page.EvaluateAsync<string[]>("""
                () => { const at = document.activeElement; return at === document.body ? ["", ""] : [at.id || at.textContent.trim(), getComputedStyle(at).outlineStyle]; }
                """) is [var one, var other] ? (one, other) : ("", "");
            if (what.Length == 0) continue;                    // past the end, from where it begins again
            Assert.True(outline is "solid" or "auto", $"{what} shows no focus");
            if (!seen.Add(what)) break;
        }
        Assert.Superset(new HashSet<string> { "text", "is-pair", "classify", "influence-label", "right", "csv", "text-column", "pair-column", "guarded", "full", "openapi" }, seen);
        Assert.Contains("Save as training data", seen);
        Assert.Contains("Download the labelled file", seen);
    }

    [Fact]
    public async Task Landmarks_AndHeadings_LeadThroughThePage()
    {
        await using var open = await browser.Open(model.Address);
        var tree = await open.Page.Locator("body").AriaSnapshotAsync();
        foreach (var part in new[]
        {
            "- banner:", "- navigation \"On this page\":", "- main:", "- contentinfo:", "- region \"Classify one text\":", "- region \"Label a file\":", "- region \"Labels of this model\":",
            "- region \"Earlier texts\":", "- heading \"Attune\" [level=1]", "- heading \"Label a file\" [level=2]", "- textbox \"Text\"", "- button \"Choose a CSV or TSV file, or drop it here\"",
        })
            Assert.Contains(part, tree, StringComparison.Ordinal);
    }

    /// <summary>320 pixels are a page of 1280 at 400 %, and 500 one of 1000 at 200 %: nothing needs to be moved sideways, but the file's own rows.</summary>
    [Fact]
    public async Task Page_Narrow_FitsItsWidth()
    {
        await using var open = await browser.Open(model.Address, new() { ViewportSize = new() { Width = 500, Height = 600 } });
        await ShowEverything(open);
        foreach (var width in new[] { 500, 320 })
        {
            await open.Page.SetViewportSizeAsync(width, 600);
            Assert.Equal(width, await open.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
    }

    [Fact]
    public async Task Motion_Reduced_NothingMoves()
    {
        await using var open = await browser.Open(model.Address, new() { ReducedMotion = ReducedMotion.Reduce });
        await open.Classify("the film was good");
        Assert.Equal("0s", await open.Page.Locator(".fill").First.EvaluateAsync<string>("bar => getComputedStyle(bar).transitionDuration"));
    }

    /// <summary>4.5 to 1 between every coloured word and its ground, and 3 to 1 between the borders of fields and theirs.</summary>
    private static async Task AssertContrast(OpenPage open)
    {
        var low = await open.Page.EvaluateAsync<string[]>("""
            () => {
              const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
              const over = (colors) => {                         // what is seen of colours that lie over each other
                canvas.clearRect(0, 0, 1, 1);
                for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
                return [...canvas.getImageData(0, 0, 1, 1).data];
              };
              const grounds = (element) => element ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : ["white"];
              const light = (color) => {                         // WCAG 2.2, relative luminance
                const [r, g, b] = color.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const contrast = (one, other) => { const [high, low] = [light(one), light(other)].sort((a, b) => b - a); return (high + 0.05) / (low + 0.05); };
              const low = [];
              for (const word of document.querySelectorAll(".word, .sheet .taken, button, .button, .hint")) {
                const ground = grounds(word), ratio = contrast(over([...ground, getComputedStyle(word).color]), over(ground));
                if (ratio < 4.5) low.push(`${word.outerHTML.slice(0, 80)}: ${ratio.toFixed(2)}`);
              }
              for (const field of document.querySelectorAll("textarea, select, input[type=password], button, .drop")) {
                if (getComputedStyle(field).borderTopColor === "rgba(0, 0, 0, 0)") continue;   // an earlier text: its line is underlined
                const ground = grounds(field.parentElement), ratio = contrast(over([...ground, getComputedStyle(field).borderTopColor]), over(ground));
                if (ratio < 3) low.push(`border of ${field.id || field.textContent}: ${ratio.toFixed(2)}`);
              }
              return low;
            }
            """);
        Assert.Empty(low);
    }

    private static async Task ShowEverything(OpenPage open)
    {
        await open.Classify("the film was good, and the meal was bad and dull");
        await Assertions.Expect(open.Page.Locator(".word.for").First).ToBeVisibleAsync();
        await open.Choose("reviews.csv", "number,text,by\n1,the film was good,A\n2,=a bad meal,B\n");
        await open.Page.Locator("#columns-step button").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#result-step a")).ToBeVisibleAsync();
        foreach (var more in await open.Page.Locator("summary").AllAsync()) await more.ClickAsync();
    }
}
