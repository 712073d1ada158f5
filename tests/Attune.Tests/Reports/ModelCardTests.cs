using Attune.Cli.Reports;
using Attune.Tests.Datasets;

namespace Attune.Tests.Reports;

public sealed class ModelCardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("one")]
    [InlineData("several")]
    [InlineData("numbers")]
    public void Write_EachKindOfTask_IsFilled(string kind)
    {
        var folder = Path.Combine(_folder.Path, kind);
        _ = kind switch { "one" => MadeRun.OneLabel(folder), "several" => MadeRun.SeveralLabels(folder), _ => MadeRun.Numbers(folder) };
        Assert.True(ModelCard.Write(RunFacts.Read(folder)));
        var card = File.ReadAllText(ModelCard.FileOf(folder));
        Assert.StartsWith("---\nlibrary_name: transformers\npipeline_tag: text-classification\n", card, StringComparison.Ordinal);
        foreach (var part in new[] { "model-index:", "## How to use it", "## Data", "## Results", "## Limits", "## Training", new string('b', 64), "9.9.9", "train.csv, dev.csv" })
            Assert.Contains(part, card, StringComparison.Ordinal);
        Assert.DoesNotContain("/somewhere/else", card, StringComparison.Ordinal);
        Assert.DoesNotContain("More Information Needed", card, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("NaN", card, StringComparison.Ordinal);
        Assert.Equal(kind != "numbers", card.Contains("## Results by class", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_AgainAfterReading_IsTheSame()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        Assert.True(ModelCard.Write(RunFacts.Read(folder)));
        var first = File.ReadAllText(ModelCard.FileOf(folder));
        Assert.True(ModelCard.Write(RunFacts.Read(folder)));
        Assert.Equal(first, File.ReadAllText(ModelCard.FileOf(folder)));
    }

    [Fact]
    public void Write_CardOfAPerson_Stays()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        File.WriteAllText(ModelCard.FileOf(folder), "mine");
        Assert.False(ModelCard.Write(RunFacts.Read(folder)));
        Assert.Equal("mine", File.ReadAllText(ModelCard.FileOf(folder)));
        Assert.True(ModelCard.Write(RunFacts.Read(folder), isNew: true));
    }

    [Fact]
    public void Record_WrittenAndRead_IsTheSame()
    {
        var folder = MadeRun.Numbers(Path.Combine(_folder.Path, "run"));
        var record = RunRecord.Read(folder)!;
        record.Write(_folder.Path);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, RunRecord.FileName)), File.ReadAllText(Path.Combine(_folder.Path, RunRecord.FileName)));
        Assert.Equal((3.2, 0.25, 6.15), record.Data.Split("train")!.Numbers);
        File.WriteAllText(Path.Combine(folder, RunRecord.FileName), "{\"machine\": 3}");
        Assert.Contains("is no record of a run", Assert.Throws<AttuneException>(() => RunRecord.Read(folder)).Message, StringComparison.Ordinal);
    }
}
