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
        AttuneProcess.Run(_folder, [.. Tiny, "--output-dir", "run", "--validation-split", "0.4", "--do-eval"]).Good();
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
    public void Report_CrossValidation_IsOfAllRows()
    {
        AttuneProcess.Run(_folder, [.. Tiny, "--output-dir", "folds", "--folds", "2"]).Good();
        AttuneProcess.Run(_folder, "report", "folds", "--attributions", "0").Good();
        var page = File.ReadAllText(Path.Combine(_folder, "folds", "report.html"));
        Assert.Contains("bootstrap draws of the 80 rows", page, StringComparison.Ordinal);
        Assert.Contains("Each row was judged by the fold that was not trained on it.", page, StringComparison.Ordinal);
    }
}
