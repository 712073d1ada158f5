using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Attune.EndToEndTests;

/// <summary>Runs that were trained, and the pages that the command makes of them.</summary>
public sealed class ReportTests : IDisposable
{
    private static readonly string[] Tiny = ["train", "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--max-steps", "20", "--learning-rate", "3e-3", "--logging-steps", "5"];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-report-").FullName;

    public ReportTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        File.WriteAllLines(Path.Combine(_folder, "train.csv"), Enumerable.Range(0, 80).Select(row => row % 2 == 0 ? "good film <b>,yes" : "bad film & dull,no").Prepend("text,label"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Report_TrainedRun_ColoursWordsAndFillsTheCard()
    {
        AttuneVerb.Run(_folder, [.. Tiny, "--output-dir", "run", "--validation-split", "0.4", "--do-eval"]).Good();
        var told = AttuneProcess.Run(_folder, "report", "run", "--plots", "plots").Good();
        Assert.Contains("The report is in run/report.html.", told.Error.Replace('\\', '/'), StringComparison.Ordinal);
        var page = XDocument.Load(Path.Combine(_folder, "run", "report.html"));
        Assert.Contains(page.Descendants(), element => element.Name.LocalName == "mark" && element.Attribute("title") is not null);
        Assert.DoesNotContain(page.Descendants(), element => (string?)element.Attribute("class") == "missing" && element.Value.StartsWith("Texts", StringComparison.Ordinal));
        Assert.Contains(page.Descendants(), element => element.Value.Contains("good film <b>", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(_folder, "plots", "training-loss.png")));
        var card = File.ReadAllText(Path.Combine(_folder, "run", "README.md"));
        Assert.Contains("model-index:", card, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder, card, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_RunEvaluatedAgain_KeepsTheMeaningOfItsResults()
    {
        File.Copy(Path.Combine(_folder, "train.csv"), Path.Combine(_folder, "test.csv"));
        AttuneVerb.Run(_folder, [.. Tiny, "--output-dir", "run", "--validation-split", "0.4", "--do-eval", "--test-file", "test.csv"]).Good();
        string Read(string file) => File.ReadAllText(Path.Combine(_folder, "run", file));
        IEnumerable<KeyValuePair<string, string?>> Results() => JsonNode.Parse(Read("all_results.json"))!.AsObject().Where(result => !Timed(result.Key)).Select(result => KeyValuePair.Create(result.Key, result.Value?.ToJsonString()));
        var (before, evaluated, tested) = (Results().ToList(), Read("eval_predictions.jsonl"), Read("test_predictions.jsonl"));
        Assert.Equal((32, 80), (evaluated.Count(letter => letter == '\n'), tested.Count(letter => letter == '\n')));
        foreach (var words in new[] { Array.Empty<string>(), ["--split", "test"] })
        {
            AttuneVerb.Run(_folder, ["evaluate", "run", "--output-dir", "run", "--threads", "1", .. words]).Good();
            Assert.Equal(before.Select(result => result.Key), Results().Select(result => result.Key));
            Assert.Equal((evaluated.Length, tested.Length), (Read("eval_predictions.jsonl").Length, Read("test_predictions.jsonl").Length));
        }
        Assert.Equal(before.Where(result => result.Key.EndsWith("accuracy", StringComparison.Ordinal)), Results().Where(result => result.Key.EndsWith("accuracy", StringComparison.Ordinal)));
        var refused = AttuneVerb.Run(_folder, "evaluate", "run", "--split", "train", "--output-dir", "run");
        Assert.Equal((2, "attune: output_dir is run, the folder of a run, which holds results of the rows that it was evaluated on and of test, but not of train; name another folder."), (refused.Code, refused.Error.TrimEnd().Split('\n')[^1]));
        AttuneVerb.Run(_folder, "report", "run", "--attributions", "0").Good();
        Assert.Contains(XDocument.Load(Path.Combine(_folder, "run", "report.html")).Descendants(), element => element.Name.LocalName == "h2" && element.Value == "Test split");

        static bool Timed(string name) => name.EndsWith("_runtime", StringComparison.Ordinal) || name.EndsWith("_per_second", StringComparison.Ordinal);
    }

    [Fact]
    public void Report_CrossValidation_IsOfAllRows()
    {
        AttuneVerb.Run(_folder, [.. Tiny, "--output-dir", "folds", "--folds", "2"]).Good();
        AttuneVerb.Run(_folder, "report", "folds", "--attributions", "0").Good();
        var page = File.ReadAllText(Path.Combine(_folder, "folds", "report.html"));
        Assert.Contains("bootstrap draws of the 80 rows", page, StringComparison.Ordinal);
        Assert.Contains("Each row was judged by the fold that was not trained on it.", page, StringComparison.Ordinal);
    }
}
