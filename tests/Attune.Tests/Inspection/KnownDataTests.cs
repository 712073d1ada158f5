using Attune.Datasets;
using Attune.Inspection;
using Attune.Tokenization;

namespace Attune.Tests.Inspection;

/// <summary>Published data sets, of which is known what is in them.</summary>
public sealed class KnownDataTests
{
    [Fact]
    public void Sst2_KnownDuplicatesConflictsAndShifts_AreFoundAndNoLeak()
    {
        var report = Inspect("glue/SST-2");
        var duplicates = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Duplicates && finding.Splits[0] == "train");
        Assert.Equal(371, duplicates.Rows - duplicates.RowsByCaseOnly);
        var conflicts = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Conflicts);
        Assert.Equal(10, conflicts.Rows - conflicts.RowsByCaseOnly);
        Assert.StartsWith("5 texts in 10 rows", conflicts.Summary, StringComparison.Ordinal);
        Assert.Equal(4270, Assert.Single(report.Findings, finding => finding.Kind == FindingKind.OneWord && finding.Splits[0] == "train").Rows);
        Assert.DoesNotContain(report.Findings, finding => finding.Kind == FindingKind.Leakage && finding.Splits.Contains("validation"));
        Assert.Contains("validation are longer than those of train: 19.5 words in place of 9.4",
            Assert.Single(report.Findings, finding => finding.Kind == FindingKind.LengthShift && finding.Splits[1] == "validation").Summary, StringComparison.Ordinal);
        var train = report.Splits[0];
        Assert.Equal((67349, 37569, 444), (train.Rows, train.Classes[1].Rows, report.Splits[1].Classes[1].Rows));
        Assert.Equal(train.Rows, train.Histogram.Rows.Sum() + train.Histogram.Longer);
    }

    [Fact]
    public void Banking77_KnownDuplicatesAndLeaks_AreFoundAndNoConflict()
    {
        var report = Inspect("banking77");
        var duplicates = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Duplicates && finding.Splits[0] == "train");
        Assert.Equal(4, duplicates.Rows - duplicates.RowsByCaseOnly);
        Assert.Equal(6, Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Leakage).Rows);
        Assert.DoesNotContain(report.Findings, finding => finding.Kind is FindingKind.Conflicts or FindingKind.LabelSpellings);
    }

    private static InspectionReport Inspect(string name)
    {
        var (folder, vocabulary) = (Golden.Data(name), Golden.Data("bert-base-uncased"));
        Assert.SkipWhen(folder is null || vocabulary is null, $"There is no data folder {name}, or no bert-base-uncased beside it (ATTUNE_DATA, ../shared/data).");
        var data = DatasetDict.Load(folder!);
        return InspectionReport.Of(data, ClassificationColumns.Find(data), BertTokenizer.FromPretrained(vocabulary!));
    }
}
