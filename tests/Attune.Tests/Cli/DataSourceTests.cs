using Attune.Cli;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

public sealed class DataSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingTerminal _terminal = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Validation_Missing_IsTakenFromTrainingInProportion()
    {
        var source = Load(new DataArguments { TrainFile = File("train.csv", 100) });
        source.EnsureValidation(isWanted: true, seed: 42);
        Assert.Equal((90, 10), (source.Splits["train"].NumRows, source.Splits["validation"].NumRows));
        Assert.Equal(5, source.Rows("validation", null)!.Classes!.Count(label => label == 1));
        Assert.Equal("Without a validation split, 10 of the 100 training rows are set apart for evaluation (stratified, seed 42).", _terminal.Told[^1]);
    }

    [Fact]
    public void Validation_NotWanted_IsNotTaken()
    {
        var source = Load(new DataArguments { TrainFile = File("train.csv", 10) });
        source.EnsureValidation(isWanted: false, seed: 42);
        Assert.Null(source.Validation);
    }

    [Fact]
    public void Validation_TestSplitOnly_IsNeverTakenForIt()
    {
        var source = Load(new DataArguments { TrainFile = File("train.csv", 20), TestFile = File("test.csv", 10) });
        source.EnsureValidation(isWanted: true, seed: 1);
        Assert.Equal((18, 2, 10), (source.Splits["train"].NumRows, source.Splits["validation"].NumRows, source.Splits["test"].NumRows));
    }

    [Fact]
    public void ModelLabels_SameNamesInAnotherOrder_ModelsOrderCounts()
    {
        var source = Load(new DataArguments { TrainFile = File("train.csv", 4) }, ["POSITIVE", "NEGATIVE"]);
        Assert.Equal(["POSITIVE", "NEGATIVE"], source.ModelLabels);
        Assert.Equal([1L, 0, 1, 0], source.Rows("train", null)!.Classes!);
    }

    [Fact]
    public void ModelLabels_OtherNames_AreRefusedOnlyWhereTheyMustFit()
    {
        var data = new DataArguments { TrainFile = File("train.csv", 4) };
        Assert.Equal(["negative", "positive"], Load(data, ["LABEL_0", "LABEL_1"]).ModelLabels);
        var refused = Assert.Throws<AttuneException>(() => Load(data, ["sports", "politics"], mustFit: true));
        Assert.Contains("(negative, positive) are not the classes of the model (sports, politics)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelLabels_NumbersInTheFile_AreTheModelsClassesByNumber()
    {
        var file = _folder.Write("numbers.csv", "text,label\na,1\nb,0\nc,1\n");
        Assert.Equal([1L, 0, 1], Load(new DataArguments { TestFile = file }, ["bad", "good"], mustFit: true).Rows("test", null)!.Classes!);
    }

    [Fact]
    public void FilesAndDataset_Together_AreRefused() =>
        Assert.Throws<AttuneException>(() => Load(new DataArguments { TrainFile = "a.csv", Dataset = "b" }));

    [Theory]
    [InlineData("sentiment", 2, ProblemType.SingleLabelClassification)]
    [InlineData("topic", 8, ProblemType.SingleLabelClassification)]
    [InlineData("stars", 5, ProblemType.SingleLabelClassification)]
    [InlineData("aspects", 8, ProblemType.MultiLabelClassification)]
    public void Reviews_EachConfiguration_IsATask(string config, int labels, ProblemType kind)
    {
        var source = Load(new DataArguments { DatasetConfig = config });
        Assert.Equal((labels, kind), (source.ModelLabels.Count, source.ProblemType));
    }

    [Fact]
    public void Reviews_UnknownConfiguration_SaysWhichThereAre() => Assert.Equal(
        "attune/reviews has no configuration \"topics\". Did you mean \"topic\"? It has sentiment, stars, topic, aspects.",
        Assert.Throws<AttuneException>(() => Load(new DataArguments { DatasetConfig = "topics" })).Message);

    [Fact]
    public void BestMetric_NotMeasured_IsRefused()
    {
        var source = Load(new DataArguments { TrainFile = File("train.csv", 4), Metrics = ["f1", "accuracy"] });
        source.CheckBestMetric(new() { MetricForBestModel = "eval_f1" });
        Assert.Equal("metric_for_best_model is recall, but measured are loss, f1, accuracy; name one of them, or add it to --metrics.",
            Assert.Throws<AttuneException>(() => source.CheckBestMetric(new() { MetricForBestModel = "recall" })).Message);
    }

    [Theory]
    [InlineData("glue/sst2", null, false)]
    [InlineData("glue/mrpc", null, true)]
    [InlineData("glue/mrpc", "f1", false)]
    [InlineData("other/mrpc", null, false)]
    public void BestMetric_CombinedScore_IsTakenOnlyWhereItIsMeasured(string name, string? metric, bool isMeasured)
    {
        _folder.Write(name + "/train.csv", "text,label\na,0\nb,1\n");
        var source = Load(new DataArguments { Dataset = Path.Combine(_folder.Path, name), Metrics = metric is null ? [] : [metric] });
        void Check() => source.CheckBestMetric(new() { MetricForBestModel = "combined_score" });
        if (isMeasured) Check();
        else Assert.StartsWith("metric_for_best_model is combined_score, but measured are loss, ", Assert.Throws<AttuneException>(Check).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OneClass_IsRefusedOnlyForTraining()
    {
        var file = new DataArguments { TrainFile = _folder.Write("one.csv", "text,label\na,positive\nb,positive\n") };
        Assert.Contains("training needs at least two classes", Assert.Throws<AttuneException>(() => Load(file)).Message, StringComparison.Ordinal);
        Assert.Equal([1L, 1], Load(file, ["negative", "positive"], mustFit: true).Rows("train", null)!.Classes!);
    }

    [Fact]
    public void Dataset_OnlyOneSubfolderWithSplits_IsTaken()
    {
        _folder.Write("imdb/.git/x.csv", "");
        _folder.Write("imdb/plain_text/train.csv", "text,label\na,0\nb,1\n");
        var data = new DataArguments { Dataset = Path.Combine(_folder.Path, "imdb") };
        Assert.Equal(2, Load(data).Splits["train"].NumRows);

        _folder.Write("imdb/other/data/train.csv", "text,label\na,0\nb,1\nc,1\n");
        Assert.Equal($"The data set {data.Dataset} has the configurations other, plain_text; choose one by --dataset-config.",
            Assert.Throws<AttuneException>(() => Load(data)).Message);
        Assert.Equal(3, Load(data with { DatasetConfig = "other" }).Splits["train"].NumRows);
    }

    [Fact]
    public void RunConfig_PathsOfModelAndData_AreAbsolute()
    {
        var here = Path.GetRelativePath(Directory.GetCurrentDirectory(), _folder.Path);
        RunConfig.Write(_folder.Path, new ModelArguments { Model = here }, new DataArguments { TrainFile = Path.Combine(here, "a.csv") }, new());
        var json = Attune.Formats.PythonJson.ReadFile(Path.Combine(_folder.Path, Attune.Checkpoints.CheckpointFiles.Arguments))!;
        Assert.Equal((_folder.Path, Path.Combine(_folder.Path, "a.csv")), (json["model"]!.GetValue<string>(), json["train_file"]!.GetValue<string>()));
        RunConfig.Write(_folder.Path, new ModelArguments { Model = "attune/mini" }, new DataArguments(), new());
        Assert.Equal("attune/mini", Attune.Formats.PythonJson.ReadFile(Path.Combine(_folder.Path, Attune.Checkpoints.CheckpointFiles.Arguments))!["model"]!.GetValue<string>());
    }

    [Fact]
    public void PredictFile_NoSuchTextColumn_ListsThoseThereAre()
    {
        var file = _folder.Write("a.csv", "review,label\ngood,1\nbad,0\n");
        var what = new PredictArguments { TextColumnNames = ["text"] };
        Assert.Contains("there is no text column \"text\" among review, label; name one by --text-column-names",
            Assert.Throws<AttuneException>(() => TextInputs.OfFile(file, what, _terminal.Terminal.Tell).ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ProblemTypeAndDoRegression_Disagreeing_AreRefused()
    {
        Assert.Equal(TaskKind.Regression, new DataArguments { DoRegression = true }.Task);
        Assert.Null(new DataArguments().Task);
        Assert.Throws<AttuneException>(() => new DataArguments { DoRegression = true, ProblemType = ProblemType.MultiLabelClassification }.Task);
    }

    private string File(string name, int rows) => _folder.Write(
        name, "text,label\n" + string.Concat(Enumerable.Range(0, rows).Select(i => $"text {i},{(i % 2 == 0 ? "negative" : "positive")}\n")));

    private DataSource Load(DataArguments data, IReadOnlyList<string>? modelLabels = null, bool mustFit = false) =>
        DataSource.Load(data, modelLabels, mustFit, outputDir: null, _terminal.Terminal);
}
