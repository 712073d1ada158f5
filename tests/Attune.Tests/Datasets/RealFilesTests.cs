using Attune.Datasets;
using Attune.Parquet;

namespace Attune.Tests.Datasets;

/// <summary>The published files, against their known counts. They lie outside the repository; without them the tests are skipped.</summary>
public sealed class RealFilesTests
{
    private static DatasetDict Load(string name)
    {
        ParquetDataset.Register();
        var folder = Golden.Data(name);
        Assert.SkipWhen(folder is null, $"There is no data folder {name} (ATTUNE_DATA, ../shared/data).");
        return DatasetDict.Load(folder!);
    }

    private static int[] Counts(DatasetDict data) => [.. data.Values.Select(split => split.NumRows)];

    [Fact]
    public void Sst2_Tsv_HasTheKnownRowsAndDuplicates()
    {
        var data = Load("glue/SST-2");
        var found = ClassificationColumns.Find(data);
        var train = found.Rows(data["train"], "train");
        var validation = found.Rows(data["validation"], "validation");

        Assert.Equal([67349, 872, 1821], Counts(data));
        Assert.Equal((37569, 444), (train.Classes!.Count(label => label == 1), validation.Classes!.Count(label => label == 1)));
        Assert.False(found.Rows(data["test"], "test").HasLabels);
        Assert.Equal("Takes texts from \"sentence\", labels from \"label\" (2 classes: 0, 1).", found.Describe());

        var texts = train.Texts.Select(text => text.Trim()).ToList();
        Assert.Equal(371, texts.Count - texts.Distinct().Count());
        var both = texts.Zip(train.Classes!).GroupBy(row => row.First).Where(group => group.Select(row => row.Second).Distinct().Count() == 2).ToList();
        Assert.Equal((5, 10), (both.Count, both.Sum(group => group.Count())));
        Assert.Equal(4270, texts.Count(text => !text.Contains(' ')));
        Assert.Empty(texts.Intersect(validation.Texts.Select(text => text.Trim())));
    }

    [Fact]
    public void Sst2Parquet_RowsAndLabels_EqualTsv()
    {
        var tsv = Load("glue/SST-2");
        var parquet = Load("parquet/sst2");
        Assert.Equal(new ClassLabel(["negative", "positive"]), parquet["train"].Features["label"]);
        Assert.Equal(["negative", "positive"], ClassificationColumns.Find(parquet).LabelNames);
        // The texts of these files are a translation; rows and labels are the same.
        foreach (var (name, split) in tsv)
        {
            Assert.Equal(split.NumRows, parquet[name].NumRows);
            if (name != "test") Assert.Equal(split.Column<long?>("label"), parquet[name].Column<long?>("label"));
        }
        Assert.False(ClassificationColumns.Find(parquet).Rows(parquet["test"], "test").HasLabels);
    }

    [Fact]
    public void Sst2ValidationParquet_Texts_EqualTsv()
    {
        var tsv = Load("glue/SST-2")["validation"];
        var file = Golden.Data("parquet/glue-sst2-validation.parquet");
        Assert.SkipWhen(file is null, "There is no data file parquet/glue-sst2-validation.parquet.");
        var parquet = Dataset.FromFile(file!);
        Assert.Equal(tsv["sentence"], parquet["sentence"]);
        Assert.Equal(tsv["label"], parquet["label"]);
    }

    [Fact]
    public void Banking77_Csv_HasTheKnownRowsAndDuplicates()
    {
        var data = Load("banking77");
        var found = ClassificationColumns.Find(data);
        var train = found.Rows(data["train"], "train");
        var test = found.Rows(data["test"], "test");

        Assert.Equal([10003, 3080], Counts(data));
        Assert.Equal(("text", "category", 77), (found.TextColumns[0], found.LabelColumn, found.LabelNames.Count));
        Assert.Equal(77, test.Classes!.Distinct().Count());
        Assert.Equal(4, train.Count - train.Texts.Select(text => text.Trim()).Distinct().Count());
        var known = train.Texts.Select(text => text.Trim().ToLowerInvariant()).ToHashSet();
        Assert.Equal(6, test.Texts.Count(text => known.Contains(text.Trim().ToLowerInvariant())));
    }

    [Fact]
    public void StsB_Tsv_IsPairsWithFloats()
    {
        var data = Load("glue/STS-B");
        var found = ClassificationColumns.Find(data);
        Assert.Equal([5749, 1500, 1379], Counts(data));
        Assert.Equal((TaskKind.Regression, "score", true), (found.Task, found.LabelColumn, found.IsPair));
        var targets = found.Rows(data["train"], "train").Targets!;
        Assert.Equal((0.0, 5.0), (targets.Min(), targets.Max()));
        Assert.False(found.Rows(data["test"], "test").HasLabels);
    }

    [Fact]
    public void Cola_TsvWithoutHeader_IsRecognised()
    {
        var data = Load("glue/CoLA");
        var found = ClassificationColumns.Find(data);
        Assert.Equal([8551, 1043, 1063], Counts(data));
        Assert.Equal(("sentence", "label"), (found.TextColumns[0], found.LabelColumn));
        Assert.Equal((6023, 721), (Acceptable("train"), Acceptable("validation")));

        int Acceptable(string split) => found.Rows(data[split], split).Classes!.Count(label => label == 1);
    }

    [Fact]
    public void GoEmotions_Tsv_IsMultiLabel()
    {
        var data = Load("goemotions");
        var found = ClassificationColumns.Find(data);
        Assert.Equal([43410, 5426, 5427], Counts(data));
        Assert.Equal((TaskKind.MultiLabel, 28), (found.Task, found.LabelNames.Count));
        var sets = found.Rows(data["train"], "train").ClassSets!;
        Assert.Equal((1, 5), (sets.Min(set => set.Length), sets.Max(set => set.Length)));
    }
}
