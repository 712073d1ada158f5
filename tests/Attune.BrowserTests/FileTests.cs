using System.Text;
using System.Text.Json;
using Attune.Datasets;
using Attune.EndToEndTests;
using Microsoft.Playwright;

namespace Attune.BrowserTests;

/// <summary>A file: chosen, labelled, downloaded.</summary>
[Collection(nameof(Browser))]
public sealed class FileTests(Browser browser, ServedModel model)
{
    [Fact]
    public async Task File_ThreeActions_GiveTheSameRowsWithLabels()
    {
        var rows = TinyModel.Rows(300, new Random(4)).ToList();
        var content = "number;review;by\r\n" + string.Concat(rows.Select((row, i) => $"{i};\"{row.Text}; \"\"really\"\"\n{i}\";Ünal\r\n"));
        await using var open = await browser.Open(model.Address);
        await open.Choose("reviews.csv", Encoding.UTF8.GetPreamble().Concat(Encoding.UTF8.GetBytes(content)).ToArray());       // 1: choose
        await Assertions.Expect(open.Page.Locator("#file-says")).ToHaveTextAsync("reviews.csv: 300 rows, 3 columns.");
        Assert.Equal("review", await open.Page.GetByLabel("Column with the texts").Locator("option:checked").InnerTextAsync());
        var (name, result) = await open.Labelled();                                                                          // 2: label, 3: download
        await Assertions.Expect(open.Page.Locator("#result-says")).ToHaveTextAsync("Done: 300 rows labelled.");
        Assert.Equal("reviews-labelled.csv", name);

        var file = Path.Combine(model.Folder, name);
        await File.WriteAllTextAsync(file, result, TestContext.Current.CancellationToken);
        Assert.StartsWith("number;review;by;predicted_label;probability;probability_negative;probability_positive\r\n0;", result.TrimStart('\uFEFF'), StringComparison.Ordinal);
        var labelled = Dataset.FromFile(file);
        Assert.Equal(300, labelled.NumRows);
        Assert.Equal(rows.Select((row, i) => $"{row.Text}; \"really\"\n{i}"), labelled.Column<string?>("review"));
        Assert.Equal(rows.Select(row => row.Label), labelled.Column<string?>("predicted_label"));
    }

    /// <summary>The same cells and the same rows that cannot be used as when Attune itself reads the file.</summary>
    [Fact]
    public async Task Reader_HostileFiles_ReadsAsTheLibrary()
    {
        string[] pieces = ["a", "\"", "\"\"", ",", ",", ";", "\t", "\n", "\r\n", "\n", " ", "=b", "é", "𝒳", "x,y\n", "\"q\""];
        var random = new Random(7);
        var files = Enumerable.Range(0, 400).Select(i => new[]
        {
            i % 4 == 3 ? "f.tsv" : "f.csv",
            (i % 4 == 3 ? "one\ttwo\n" : "one,two\n") + string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => pieces[random.Next(pieces.Length)])) + "\n",
        }).ToArray();
        await using var open = await browser.Open(model.Address);
        var read = await open.Page.EvaluateAsync<string[]>("""
            async (files) => {
              const { CsvReader, TsvQuotes, delimiterOf } = await import("./page/csv.js");
              return files.map(([name, text]) => {
                const isTsv = name.endsWith(".tsv"), quotes = new TsvQuotes();
                quotes.push(text);
                const reader = new CsvReader(isTsv ? "\t" : delimiterOf(text), !isTsv || quotes.end());
                const rows = [];
                for (let i = 0; i < text.length; i += 3) rows.push(...reader.push(text.slice(i, i + 3)));
                rows.push(...reader.end());
                return rows.slice(1).map((row) => row.isBad || row.cells.length !== 2 ? "bad" : row.cells.join("\u0001")).join("\u0002");
              });
            }
            """, files);
        for (var i = 0; i < files.Length; i++)
        {
            var expected = Library(files[i][0], files[i][1]);
            Assert.True(expected == read[i], $"{files[i][0]}: {JsonSerializer.Serialize(files[i][1])}\n--- library\n{JsonSerializer.Serialize(expected)}\n--- page\n{JsonSerializer.Serialize(read[i])}");
        }
    }

    [Fact]
    public async Task Result_CellsLikeFormulas_RunInNoSpreadsheet()
    {
        const string content = "text,note\n=HYPERLINK(\"\"http://x\"\"),-5\n@SUM(A1),+1e3\n\"\t=1+1\",- item\n\"＝1\",007-\nplain,=\n";
        await using var open = await browser.Open(model.Address);
        await open.Choose("formulas.csv", content.Replace("=HYPERLINK(\"\"http://x\"\")", "\"=HYPERLINK(\"\"http://x\"\")\"", StringComparison.Ordinal));
        var (_, safe) = await open.Labelled();
        Assert.Equal(["\"'=HYPERLINK(\"\"http://x\"\")\",-5", "'@SUM(A1),+1e3", "\"'\t=1+1\",'- item", "'＝1,007-", "plain,'="], FirstTwo(safe));
        await Assertions.Expect(open.Page.Locator("#result-says")).ToContainTextAsync("6 cells got an apostrophe in front.");
        await open.Page.GetByLabel("Safe for spreadsheets").UncheckAsync();
        var (_, same) = await open.Labelled();
        Assert.Equal(["\"=HYPERLINK(\"\"http://x\"\")\",-5", "@SUM(A1),+1e3", "\"\t=1+1\",- item", "＝1,007-", "plain,="], FirstTwo(same));

        static IEnumerable<string> FirstTwo(string csv) => csv.TrimEnd('\n').Split('\n')[1..].Select(line => string.Join(',', line.Split(',')[..2]));
    }

    [Theory]
    [InlineData("a,b\n1,2\n3\n", "1 row of 2 cannot be used. The first is in line 3: it has 1 cell, not the 2 of the first line.")]
    [InlineData("a,b\n", "x.csv has no rows below its first line.")]
    [InlineData("", "x.csv has no rows below its first line.")]
    [InlineData("text\n\"never closed\n", "1 row of 1 cannot be used. The first is in line 2: a quoted cell is not closed")]
    public async Task File_ThatCannotBeUsed_IsOneSentence(string content, string sentence)
    {
        await using var open = await browser.Open(model.Address);
        await open.Choose("x.csv", content);
        await Assertions.Expect(open.Page.Locator("#file-says")).ToContainTextAsync(sentence);
        await Assertions.Expect(open.Page.Locator("#columns-step")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task File_NotUtf8_SaysWhatToDo()
    {
        await using var open = await browser.Open(model.Address);
        foreach (var content in new[] { Encoding.Latin1.GetBytes("text\nschön\n"), Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("text\ngood\n")).ToArray() })
        {
            await open.Choose("x.csv", content);
            await Assertions.Expect(open.Page.Locator("#file-says")).ToContainTextAsync("Save it as \"CSV UTF-8\" in the spreadsheet");
        }
    }

    /// <summary>A cell that the server refuses costs its own row alone.</summary>
    [Fact]
    public async Task File_OneTextTooLarge_OnlyThatRowHasNoLabel()
    {
        var content = "text\n" + string.Concat(Enumerable.Range(0, 20).Select(i => (i == 7 ? new string('x', 2 << 20) : "the film was good") + "\n"));
        await using var open = await browser.Open(model.Address);
        await open.Choose("long.csv", content);
        var (_, result) = await open.Labelled();
        await Assertions.Expect(open.Page.Locator("#result-says")).ToContainTextAsync("1 row has no label, because the server refused the text.");
        var labels = result.TrimEnd('\n').Split('\n')[1..].Select(line => line.Split(',')[1]).ToList();
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i == 7 ? "" : "positive"), labels);
    }

    [Fact]
    public async Task File_ServerGoneAndBack_GoesOnToTheEnd()
    {
        await using var open = await browser.Open(model.Address);
        var isGone = true;
        await open.Page.RouteAsync("**/v1/classify", route => isGone ? route.AbortAsync("connectionrefused") : route.ContinueAsync());
        await open.Choose("rows.csv", "text\n" + string.Concat(Enumerable.Repeat("a good book\n", 200)));
        await open.Page.Locator("#columns-step button").ClickAsync();
        await Assertions.Expect(open.Page.GetByText("The server does not answer. Is it still running? Going on as soon as it answers.")).ToBeVisibleAsync();
        isGone = false;
        var (_, result) = await open.Downloaded();
        Assert.Equal(201, result.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public async Task File_Stopped_GivesWhatIsDone()
    {
        await using var open = await browser.Open(model.Address);
        var (asked, release) = (0, new TaskCompletionSource());
        await open.Page.RouteAsync("**/v1/classify", async route =>
        {
            if (Interlocked.Increment(ref asked) > 2) await release.Task;
            try
            {
                await route.ContinueAsync();
            }
            catch (PlaywrightException)
            {
                // The page no longer wants it.
            }
        });
        await open.Choose("rows.csv", "text\n" + string.Concat(Enumerable.Repeat("a good book\n", 1000)));
        await open.Page.Locator("#columns-step button").ClickAsync();
        await Assertions.Expect(open.Page.GetByText("128 of 1,000 rows")).ToBeVisibleAsync();
        await open.Button("Stop").ClickAsync();
        await Assertions.Expect(open.Page.Locator("#result-says")).ToHaveTextAsync("Stopped. 128 of 1,000 rows are labelled.");
        var (_, result) = await open.Downloaded();
        release.SetResult();
        Assert.Equal(129, result.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public async Task File_Dropped_IsReadAsIfChosen()
    {
        await using var open = await browser.Open(model.Address);
        await open.Page.EvaluateAsync("""
            () => {
              const data = new DataTransfer();
              data.items.add(new File(["text\nthe film was good\n"], "dropped.csv"));
              document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
            }
            """);
        await Assertions.Expect(open.Page.Locator("#file-says")).ToHaveTextAsync("dropped.csv: 1 row, 1 column.");
        Assert.Contains("the film was good,positive,", (await open.Labelled()).Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_WithoutHeaderAndWithTakenNames_KeepsItsColumns()
    {
        await using var open = await browser.Open(model.Address);
        await open.Choose("plain.csv", "1,the film was good\n2,a bad film\n");
        var (_, plain) = await open.Labelled();
        Assert.StartsWith("1,the film was good,positive,", plain, StringComparison.Ordinal);
        await open.Choose("taken.csv", "text,predicted_label\nthe film was good,old\n");
        var (_, taken) = await open.Labelled();
        Assert.StartsWith("text,predicted_label,predicted_label_2,probability,", taken, StringComparison.Ordinal);
    }

    /// <summary>The rows as the library reads them: the cells of each that can be used.</summary>
    private string Library(string name, string content)
    {
        var file = Path.Combine(model.Folder, name);
        File.WriteAllText(file, content);
        var bad = file + ".bad-rows.jsonl";
        File.Delete(bad);
        var good = new Queue<string>();
        try
        {
            var data = Dataset.FromFile(file, new DatasetReadOptions { Header = true, OnBadRow = BadRowPolicy.Quarantine, BadRowLimit = 1, QuarantineFolder = model.Folder });
            foreach (var (one, two) in data.Column<string?>("one").Zip(data.Column<string?>("two"))) good.Enqueue($"{one}\u0001{two}");
        }
        catch (AttuneException e) when (e.Message.Contains("has no rows", StringComparison.Ordinal))
        {
            // Not one that can be used.
        }
        var unusable = File.Exists(bad)
            ? File.ReadLines(bad).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("row").GetInt32()).ToHashSet() : [];
        return string.Join('\u0002', Enumerable.Range(1, good.Count + unusable.Count).Select(row => unusable.Contains(row) ? "bad" : good.Dequeue()));
    }
}
