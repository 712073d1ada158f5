using System.Text.Json;
using Attune.EndToEndTests;
using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>One text: classified, understood, corrected.</summary>
[Collection(nameof(Browser))]
public sealed class OneTextTests(Browser browser, ServedModel model)
{
    [Fact]
    public async Task Text_ByKeyboardAlone_IsClassifiedAndExplained()
    {
        await using var open = await browser.Open(model.Address);
        var keyboard = open.Page.Keyboard;
        await keyboard.PressAsync("Tab");
        await keyboard.PressAsync("Enter");                    // the link that skips to the text
        await keyboard.TypeAsync("the film was very good and great");
        await keyboard.PressAsync("Tab");                      // past the box for pairs
        await keyboard.PressAsync("Tab");
        Assert.Equal("Classify", await open.Page.EvaluateAsync<string>("document.activeElement.textContent"));
        await keyboard.PressAsync("Enter");
        await Assertions.Expect(open.Page.Locator("#says")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex(@"^Answer: positive, \d+\.\d %\.$"));
        await Assertions.Expect(open.Page.GetByRole(AriaRole.Row, new() { Name = "positive" })).ToContainTextAsync("%");
        await Assertions.Expect(open.Page.Locator(".word.for").First).ToBeVisibleAsync();
        await open.Page.GetByText("The strongest words as a table").ClickAsync();
        await Assertions.Expect(open.Page.GetByRole(AriaRole.Row, new() { Name = "good for" }).Or(open.Page.GetByRole(AriaRole.Row, new() { Name = "great for" })).First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Text_OtherLabelChosen_WordsSpeakTheOtherWay()
    {
        await using var open = await browser.Open(model.Address);
        await open.Classify("the meal was bad");
        await Assertions.Expect(open.Page.Locator(".word.for", new() { HasTextString = "bad" })).ToBeVisibleAsync();
        await open.Page.GetByLabel("For the label").SelectOptionAsync(new SelectOptionValue { Label = "positive" });
        await Assertions.Expect(open.Page.Locator(".word.against", new() { HasTextString = "bad" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Text_Empty_AsksForOneAndSendsNothing()
    {
        await using var open = await browser.Open(model.Address);
        await open.Button("Classify").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#says")).ToHaveTextAsync("Type or paste a text first.");
        Assert.DoesNotContain(open.Requests, url => url.EndsWith("/v1/classify", StringComparison.Ordinal));
    }

    [Fact]
    public async Task History_EarlierText_ComesBackWithItsAnswer()
    {
        await using var open = await browser.Open(model.Address);
        await open.Classify("the book was good");
        await open.Classify("the trip was awful and dull");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "the book was good" }).ClickAsync();
        await Assertions.Expect(open.Page.Locator(".verdict")).ToContainTextAsync("positive");
        await Assertions.Expect(open.Page.GetByLabel("Text", new() { Exact = true })).ToHaveValueAsync("the book was good");
        await open.Button("Empty the list").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#history-list li")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Pair_BothTexts_AreSent()
    {
        await using var open = await browser.Open(model.Address);
        await open.Page.GetByLabel("The model compares two texts").CheckAsync();
        await open.Page.GetByLabel("Second text").FillAsync("the meal was fine");
        var request = await open.Page.RunAndWaitForRequestAsync(() => open.Classify("the film was good"), new System.Text.RegularExpressions.Regex("/v1/classify$"));
        Assert.Equal("""{"texts":["the film was good"],"pairs":["the meal was fine"]}""", request.PostData);
    }

    [Fact]
    public async Task Curl_Text_IsTheRequestThatWasMade()
    {
        const string text = "it's \"good\" $HOME `id` \\ 'great'";
        await using var open = await browser.Open(model.Address);
        var request = await open.Page.RunAndWaitForRequestAsync(() => open.Classify(text), new System.Text.RegularExpressions.Regex("/v1/classify$"));
        await open.Page.GetByText("The same by curl").ClickAsync();
        var command = await open.Page.Locator("pre code").InnerTextAsync();
        // A shell that prints its words in place of curl.
        using var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh", ["-c", command.Replace("curl ", "printf '%s\\n' ", StringComparison.Ordinal)]) { RedirectStandardOutput = true })!;
        var words = (await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).TrimEnd('\n').Split('\n');
        Assert.Equal([new Uri(model.Address, "/v1/classify").ToString(), "-H", "Content-Type: application/json", "-d", request.PostData!], words);
    }

    [Fact]
    public async Task Correction_SavedAndTakenBack_IsWhatTrainingReads()
    {
        using var server = model.Serve("--corrections", "mine.jsonl");
        var file = Path.Combine(model.Folder, "mine.jsonl");
        await using (var open = await browser.Open(server.Address))
        {
            foreach (var (text, right) in TinyModel.Rows(8, new Random(5)))
            {
                await open.Classify(text + " \"quoted\", ünïcödé");
                await open.Page.GetByLabel("The right label").SelectOptionAsync(new SelectOptionValue { Label = right == "positive" ? "negative" : "positive" });
                await open.Button("Save as training data").ClickAsync();
                await Assertions.Expect(open.Page.GetByText("Saved:")).ToBeVisibleAsync();
            }
            Assert.Equal(8, File.ReadLines(file).Count());
            await open.Button("Undo").ClickAsync();
            await Assertions.Expect(open.Page.GetByText("Taken back.")).ToBeVisibleAsync();
        }
        var rows = File.ReadAllLines(file).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(7, rows.Count);
        Assert.All(rows, row => Assert.NotEqual(row.GetProperty("label").GetString(), row.GetProperty("predicted").GetString()));
        Assert.EndsWith(" \"quoted\", ünïcödé", rows[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.True(rows[0].GetProperty("time").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
        var trained = AttuneProcess.Run(model.Folder, "train", "--model", "run", "--train-file", "mine.jsonl", "--output-dir", "corrected", "--max-steps", "2", "--threads", "1").Good();
        Assert.Contains("Takes texts from \"text\", labels from \"label\" (2 classes: negative, positive).", trained.Error, StringComparison.Ordinal);
        Assert.Contains("7 rows", trained.Error, StringComparison.Ordinal);
    }
}
