using Attune.Cli;
using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

public sealed class DataSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingTerminal _terminal = new();

    private List<string> Told => _terminal.Told;

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
    public void ModelLabels_MatchedByNumber_IsSaid()
    {
        var file = _folder.Write("numbers.csv", "text,label\na,1\nb,0\nc,1\n");
        Load(new DataArguments { TestFile = file }, ["bad", "good"], mustFit: true);
        Assert.Equal($"The labels of {file} and the classes of the model have no names in common, so they are matched by number: 0 -> bad, 1 -> good.", Told[0]);
        Load(new DataArguments { TestFile = file }, ["LABEL_0", "LABEL_1"], mustFit: true);
        Assert.Equal(1, Told.Count(line => line.StartsWith("The labels", StringComparison.Ordinal)));      // 0 -> LABEL_0 goes without saying
        _folder.Write("card/test.csv", "text,label\na,1\nb,0\n");
        _folder.Write("card/README.md", "---\ndataset_info:\n  features:\n  - name: label\n    dtype: {class_label: {names: [negative, positive]}}\n---\n");
        var card = new DataArguments { Dataset = Path.Combine(_folder.Path, "card") };
        Assert.Equal([1L, 0], Load(card, ["LABEL_0", "LABEL_1"], mustFit: true).Rows("test", null)!.Classes!);
        Assert.EndsWith("so they are matched by number: negative -> LABEL_0, positive -> LABEL_1.", Told.Last(line => line.StartsWith("The labels", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal([0L, 1], Load(card, ["positive", "negative"], mustFit: true).Rows("test", null)!.Classes!);
        // Names of their own on both sides are never the same by accident.
        Assert.Contains("are not the classes of the model (sports, politics)", Assert.Throws<AttuneException>(() => Load(card, ["sports", "politics"], mustFit: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_ShuffledOrStratified_AreOtherRowsThanTheFirst()
    {
        var file = _folder.Write("sorted.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"text {i},{(i < 30 ? "common" : "rare")}\n")));
        var data = new DataArguments { TrainFile = file, ValidationFile = _folder.Write("dev.csv", "text,label\na,rare\nb,common\n") };
        string[] Texts(DataArguments data, string split = "train", int most = 8) => [.. Load(data).Rows(split, most)!.Texts];
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"text {i}"), Texts(data));
        Assert.Equal(["text 0", "text 1", "text 2", "text 3", "text 4", "text 5", "text 30", "text 31"], Texts(data with { StratifySamples = true }));
        var shuffled = Texts(data with { ShuffleTrainDataset = true });
        Assert.NotEqual(Texts(data), shuffled);
        Assert.Equal(shuffled, Texts(data with { ShuffleTrainDataset = true, ShuffleSeed = 42 }));
        Assert.NotEqual(shuffled, Texts(data with { ShuffleTrainDataset = true, ShuffleSeed = 43 }));
        Assert.Equal(["a", "b"], Texts(data with { ShuffleTrainDataset = true }, "validation"));
        var numbers = new DataArguments { TrainFile = _folder.Write("n.csv", "text,label\na,1.5\nb,2.5\nc,3.5\n"), StratifySamples = true };
        Assert.StartsWith("stratify_samples needs one class a row", Assert.Throws<AttuneException>(() => Texts(numbers, most: 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Remove_SplitsAndColumns_AreGone()
    {
        var data = new DataArguments
        {
            TrainFile = _folder.Write("t.csv", "sentence,text,label\nx,a,0\ny,b,1\n"),
            TestFile = _folder.Write("u.csv", "sentence,text\nz,c\n"),
            RemoveColumns = ["sentence"],
        };
        Assert.Equal(["text"], Load(data).Columns.TextColumns);
        Assert.Equal(["train"], Load(data with { RemoveSplits = ["test"] }).SplitNames);
        Assert.Equal("remove_splits names \"dev\", but the splits are train, test.", Assert.Throws<AttuneException>(() => Load(data with { RemoveSplits = ["dev"] })).Message);
        Assert.Equal("remove_columns names \"id\", but the columns are sentence, text, label.", Assert.Throws<AttuneException>(() => Load(data with { RemoveColumns = ["id"] })).Message);
    }

    [Fact]
    public void TaskName_OfAnyFolder_DecidesColumnsClassesAndMetrics()
    {
        var file = _folder.Write("any.csv", "sentence,note,label\na,x,1\nb,y,0\n");
        var source = Load(new DataArguments { TrainFile = file, TaskName = "CoLA" });
        Assert.Equal(["unacceptable", "acceptable"], source.ModelLabels);
        Assert.Equal("matthews_correlation", source.Metrics.Single().Name);
        Assert.StartsWith("task_name is col, but GLUE has no such task. Did you mean \"cola\"?",
            Assert.Throws<AttuneException>(() => Load(new DataArguments { TrainFile = file, TaskName = "col" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.3", 0.3, false)]
    [InlineData("auto", null, false)]
    [InlineData("auto_micro", null, true)]
    public void Threshold_OfSeveralLabels_IsANumberOrChosen(string text, double? number, bool isOneForAll)
    {
        Assert.Equal(new ThresholdChoice(number, isOneForAll), Load(new DataArguments { DatasetConfig = "aspects", Threshold = text }).Threshold);
        Assert.StartsWith($"threshold is {text}, but it is for texts with several labels",
            Assert.Throws<AttuneException>(() => Load(new DataArguments { Threshold = text }).Threshold).Message, StringComparison.Ordinal);
        Assert.StartsWith("threshold is 1.5; it must be", Assert.Throws<AttuneException>(() => ThresholdChoice.Parse("1.5")).Message, StringComparison.Ordinal);
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
    public void OneClass_IsToldOnlyForTraining()
    {
        var file = new DataArguments { TrainFile = _folder.Write("one.csv", "text,label\na,positive\nb,positive\n") };
        Assert.Equal(["positive"], Load(file).ModelLabels);
        Assert.StartsWith("Warning: every row of the split", Told[0], StringComparison.Ordinal);
        var before = Told.Count;
        Assert.Equal([1L, 1], Load(file, ["negative", "positive"], mustFit: true).Rows("train", null)!.Classes!);
        Assert.Equal(before + 1, Told.Count);
    }

    [Fact]
    public void Splits_ChosenByExpressions_StandInTheirPlaces()
    {
        var data = new DataArguments { TrainFile = File("train.csv", 100), TrainSplitName = "train[:80%]", ValidationSplitName = "train[80%:90]+train[-1:]" };
        var source = Load(data);
        Assert.Equal((80, 11), (source.Splits["train"].NumRows, source.Splits["validation"].NumRows));
        Assert.Equal("text 80", source.Rows("validation", null)!.Texts[0]);
        Assert.Equal(["text 1", "text 2", "text 90"], source.Rows("train[1:3]+validation[10:11]", null)!.Texts.Select(text => text == "text 99" ? "text 90" : text));
        Assert.Null(source.Rows("dev", null));
        Assert.Equal("There is no split \"dev\", which \"dev[:3]\" names; there is train, validation.",
            Assert.Throws<AttuneException>(() => source.Rows("dev[:3]", null)).Message);
        Assert.StartsWith("\"train[\" names no rows of a split", Assert.Throws<AttuneException>(() => Load(data with { TrainSplitName = "train[" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sst2", "sentence,label", "a,1", "b,0", "negative, positive")]
    [InlineData("mnli", "sentence1,sentence2,gold_label", "a,b,neutral", "c,d,contradiction", "entailment, neutral, contradiction")]
    [InlineData("mnli", "premise,hypothesis,label", "a,b,1", "c,d,2", "entailment, neutral, contradiction")]
    [InlineData("RTE", "index,sentence1,sentence2,label", "0,a,b,not_entailment", "1,c,d,entailment", "entailment, not_entailment")]
    [InlineData("qqp", "id,question1,question2,is_duplicate", "0,a,b,0", "1,c,d,1", "not_duplicate, duplicate")]
    [InlineData("QNLI", "index,question,sentence,label", "0,a,b,entailment", "1,c,d,not_entailment", "entailment, not_entailment")]
    [InlineData("cola", "sentence,label", "a,1", "b,7", "1, 7")]
    public void Glue_Files_HaveTheTasksColumnsAndClasses(string task, string header, string first, string second, string labels)
    {
        _folder.Write($"glue/{task}/train.csv", $"{header}\n{first}\n{second}\n");
        var source = Load(new DataArguments { Dataset = Path.Combine(_folder.Path, "glue", task) });
        Assert.Equal(labels, string.Join(", ", source.ModelLabels));
        Assert.Equal(header.Contains('1') || header.Contains("premise", StringComparison.Ordinal) || task == "QNLI" ? 2 : 1, source.Columns.TextColumns.Count);
    }

    [Fact]
    public void Glue_TwoValidationSplits_AreMatchedAndMismatched()
    {
        foreach (var split in new[] { "train", "dev_matched", "dev_mismatched", "test_matched", "test_mismatched" })
            _folder.Write($"glue/MNLI/{split}.tsv", "sentence1\tsentence2\tgold_label\na\tb\tneutral\nc\td\tentailment\n");
        var source = Load(new DataArguments { Dataset = Path.Combine(_folder.Path, "glue", "MNLI") });
        Assert.Equal(("validation_matched", "validation_mismatched", "test_matched", "test_mismatched"),
            (source.Validation, source.Mismatched("validation"), source.Test, source.Mismatched("test")));
        Assert.Null(Load(new DataArguments { TrainFile = File("t.csv", 4) }).Mismatched("validation"));
    }

    [Fact]
    public void Texts_InTwoSplitsOrEmpty_AreToldOf()
    {
        var train = _folder.Write("train.csv", "text,label\na,x\nb,y\nb,x\n,y\n");
        var dev = _folder.Write("dev.csv", "text,label\nc,x\nb,y\nb,y\n,x\n \u00a0,y\nA,x\n");
        Load(new DataArguments { TrainFile = train, ValidationFile = dev });
        Assert.Equal($"Warning: 1 text of the split train is empty (the first: {train}, row 4 (line 5)); they are used as they are: fill them in, or remove the rows.", Told[0]);
        Assert.Equal($"Warning: 2 texts of the split validation are empty (the first: {dev}, row 4 (line 5)); they are used as they are: fill them in, or remove the rows.", Told[1]);
        Assert.Equal($"Warning: 3 rows of the 6 of the split validation have a text that stands in train too (the first: {dev}, row 2 (line 3), and {train}, row 2 (line 3)); " +
            "remove them from one of the splits, or results are better than they should be.", Told[2]);
    }

    [Theory]
    [InlineData(0.6, true)]
    [InlineData(0.4, false)]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public void MaxBadRows_ShareOrNumber_IsTheLimit(double most, bool isAllowed)
    {
        var data = new DataArguments { TrainFile = _folder.Write("bad.csv", "text,label\na,0\nb\nc\nd,1\n"), OnBadRow = Attune.Datasets.BadRowPolicy.Skip, MaxBadRows = most };
        if (isAllowed) Assert.Equal(2, Load(data).Splits["train"].NumRows);
        else
        {
            var message = Assert.Throws<AttuneException>(() => Load(data)).Message;
            Assert.Contains($"2 of 4 rows (50 %) cannot be used, more than the limit of {(most < 1 ? "40 %" : "1 row")}; mend the file", message, StringComparison.Ordinal);
            Assert.Equal(2, Told.Count(line => line.StartsWith("  ", StringComparison.Ordinal)));
        }
        Assert.Throws<AttuneException>(() => Load(data with { MaxBadRows = -1 }));
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
            Assert.Throws<AttuneException>(() => TextInputs.OfFile(file, what, _terminal.Terminal.Tell)).Message, StringComparison.Ordinal);
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
