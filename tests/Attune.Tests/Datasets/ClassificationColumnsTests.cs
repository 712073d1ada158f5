using Attune.Datasets;

namespace Attune.Tests.Datasets;

public sealed class ClassificationColumnsTests
{
    private static DatasetDict Splits(params (string Name, IEnumerable<object> Rows)[] splits) => new(splits.Select(split =>
        KeyValuePair.Create(split.Name, Dataset.FromRows(split.Rows.Select(row => (IReadOnlyDictionary<string, object?>)row.GetType().GetProperties()
            .ToDictionary(property => property.Name, property => property.GetValue(row)))))));

    private static string Fails(DatasetDict data, ClassificationOptions? options = null, string split = "train") =>
        Assert.Throws<AttuneException>(() => ClassificationColumns.Find(data, options).Rows(data[split], split)).Message;

    [Fact]
    public void Find_StringLabels_SortsNamesOfAllSplitsAndWarnsOfNewOnes()
    {
        var warnings = new List<string>();
        var data = Splits(
            ("train", [new { text = "a", intent = "pay" }, new { text = "b", intent = "card" }]),
            ("validation", [new { text = "c", intent = "card" }]),
            ("test", [new { text = "d", intent = "loan" }]));
        var found = ClassificationColumns.Find(data, new() { Reading = new() { Warn = warnings.Add } });

        Assert.Equal(["card", "loan", "pay"], found.LabelNames);
        Assert.Equal([2L, 0L], found.Rows(data["train"], "train").Classes);
        Assert.Equal([1L], found.Rows(data["test"], "test").Classes);
        Assert.Equal("Takes texts from \"text\", labels from \"intent\" (3 classes: card, loan, pay).", found.Describe());
        Assert.Equal(["The split \"test\" has labels that \"train\" lacks, added to the classes: loan."], warnings);
    }

    [Fact]
    public void Find_IntegerLabels_SortsBySizeNotAsText()
    {
        var data = Splits(("train", Enumerable.Range(0, 12).Select(i => (object)new { sentence = $"{i}", label = 11 - i })));
        var found = ClassificationColumns.Find(data);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"{i}"), found.LabelNames);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => 11L - i), found.Rows(data["train"], "train").Classes);
    }

    [Theory]
    [InlineData("sentence1", "sentence2", "label")]
    [InlineData("Premise", "Hypothesis", "gold_label")]
    [InlineData("question", "sentence", "label")]
    [InlineData("question1", "question2", "is_duplicate")]
    [InlineData("#1 String", "#2 String", "Quality")]
    public void Find_UsualPairs_AreTakenWhateverTheirCase(string first, string second, string label)
    {
        var rows = Enumerable.Range(0, 2).Select(i => new Dictionary<string, object?> { ["id"] = $"r{i}", [second] = "b", [first] = "a", [label] = i });
        var data = new DatasetDict([KeyValuePair.Create("train", Dataset.FromRows(rows))]);
        var found = ClassificationColumns.Find(data);
        var taken = found.Rows(data["train"], "train");
        Assert.Equal([first, second], found.TextColumns);
        Assert.Equal(label, found.LabelColumn);
        Assert.Equal(("a", "b"), (taken.Texts[0], taken.Pairs![0]));
    }

    [Fact]
    public void Find_GivenTextColumns_ArePairOrJoined()
    {
        var data = Splits(("train", [new { a = "x", b = "y", c = "z", label = 0 }, new { a = "x", b = "y", c = "z", label = 1 }]));
        ClassificationRows Taken(string[] columns, string? delimiter = null) =>
            ClassificationColumns.Find(data, new() { TextColumnNames = columns, TextColumnDelimiter = delimiter }).Rows(data["train"], "train");

        Assert.Equal("y", Taken(["a", "b"]).Pairs![0]);
        Assert.Null(Taken(["a", "b"], " / ").Pairs);
        Assert.Equal("x / y", Taken(["a", "b"], " / ").Texts[0]);
        Assert.Equal("z x y", Taken(["c", "a", "b"]).Texts[0]);
    }

    [Fact]
    public void Find_ColumnOfLists_IsMultiLabel()
    {
        var data = Splits(
            ("train", [new { text = "a", labels = (string[])["x", "z"] }, new { text = "b", labels = (string[])[] }]),
            ("validation", [new { text = "c", labels = (string[])["y", "x", "y"] }]));
        var found = ClassificationColumns.Find(data);
        Assert.Equal(TaskKind.MultiLabel, found.Task);
        Assert.Equal(["x", "y", "z"], found.LabelNames);
        Assert.Equal([1, 0, 1, 0, 0, 0], found.Rows(data["train"], "train").MultiHot(3));
        Assert.Equal([0, 1], found.Rows(data["validation"], "validation").ClassSets![0]);
    }

    [Fact]
    public void Find_IntegerLists_AreMappedByNumber()
    {
        var data = Splits(("train", [new { text = "a", labels = (int[])[10, 2] }, new { text = "b", labels = (int[])[2] }]));
        var found = ClassificationColumns.Find(data);
        Assert.Equal(["2", "10"], found.LabelNames);
        Assert.Equal([0, 1], found.Rows(data["train"], "train").ClassSets![0]);
    }

    [Fact]
    public void Find_SeparatedText_IsMultiLabelWhenAskedOrClear()
    {
        var words = Splits(("train", [new { text = "a", label = "joy;love" }, new { text = "b", label = "joy" }]));
        Assert.Equal(["joy", "joy;love"], ClassificationColumns.Find(words).LabelNames);
        Assert.Equal(["joy", "love"], ClassificationColumns.Find(words, new() { LabelSeparator = ";" }).LabelNames);

        var numbers = Splits(("train", [new { text = "a", label = "4,27" }, new { text = "b", label = "3" }]));
        var found = ClassificationColumns.Find(numbers);
        Assert.Equal(["3", "4", "27"], found.LabelNames);
        Assert.Contains("separated by \",\"", found.Describe(), StringComparison.Ordinal);
        var named = ClassificationColumns.Find(numbers, new() { LabelNames = [.. Enumerable.Range(0, 28).Select(i => $"feeling {i}")] });
        Assert.Equal([4, 27], named.Rows(numbers["train"], "train").ClassSets![0]);
    }

    [Fact]
    public void Find_ListsWrittenAsText_AreMultiLabel()
    {
        var data = Splits(("train", [new { text = "a", labels = "['joy', 'great love']" }, new { text = "b", labels = "[]" }, new { text = "c", labels = "[\"anger\"]" }]));
        var found = ClassificationColumns.Find(data);
        Assert.Equal(TaskKind.MultiLabel, found.Task);
        Assert.Equal(["anger", "great love", "joy"], found.LabelNames);
        Assert.Equal([0, 1, 1, 0, 0, 0, 1, 0, 0], found.Rows(data["train"], "train").MultiHot(3));
        var numbers = Splits(("train", [new { text = "a", labels = "[10, 2]" }, new { text = "b", labels = "[2]" }]));
        Assert.Equal(["2", "10"], ClassificationColumns.Find(numbers).LabelNames);
        var mixed = Splits(("train", [new { text = "a", labels = "[good]" }, new { text = "b", labels = "bad" }]));
        Assert.Equal(TaskKind.SingleLabel, ClassificationColumns.Find(mixed).Task);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Find_ListsOfZerosAndOnes_AreAFlagForEachClass(bool areFloats)
    {
        object Flags(params int[] flags) => areFloats ? Array.ConvertAll(flags, flag => (double)flag) : flags;
        var data = Splits(("train", [new { text = "a", labels = Flags(0, 1, 1) }, new { text = "b", labels = Flags(0, 0, 0) }]), ("test", [new { text = "c", labels = Flags(0, 0, 1) }]));
        var found = ClassificationColumns.Find(data);
        Assert.Equal("Takes texts from \"text\", sets of labels from \"labels\" with a 0 or 1 for each class (3 classes, multi-label: 0, 1, 2).", found.Describe());
        Assert.Equal([0, 1, 1, 0, 0, 0], found.Rows(data["train"], "train").MultiHot(3));
        var named = ClassificationColumns.Find(data, new() { LabelNames = ["x", "y", "z"] });
        Assert.Equal([0, 0, 1], named.Rows(data["test"], "test").MultiHot(3));
    }

    [Fact]
    public void Find_WholeFloats_AreRegressionWithTheOtherWaySaid()
    {
        var told = new List<string>();
        var data = Splits(("train", [new { text = "a", label = 1.0 }, new { text = "b", label = 0.0 }]));
        var options = new ClassificationOptions { Reading = new() { Warn = told.Add } };
        Assert.Equal(TaskKind.Regression, ClassificationColumns.Find(data, options).Task);
        Assert.Equal("The labels in \"label\" are floats, so they are numbers to be met (regression), but all are whole (0, 1); " +
            "if they are classes, give --problem-type single_label_classification.", Assert.Single(told));
        ClassificationColumns.Find(data, options with { Task = TaskKind.Regression });
        ClassificationColumns.Find(Splits(("train", [new { text = "a", label = 1.5 }, new { text = "b", label = 2.0 }])), options);
        Assert.Single(told);
    }

    [Fact]
    public void Find_MultiLabelAskedFor_CutsTextsAtCommas()
    {
        var data = Splits(("train", [new { text = "a", label = "toxic, insult" }, new { text = "b", label = "insult" }, new { text = "c", label = "toxic" }]));
        Assert.Equal(3, ClassificationColumns.Find(data).LabelNames.Count);
        var found = ClassificationColumns.Find(data, new() { Task = TaskKind.MultiLabel });
        Assert.Equal(["insult", "toxic"], found.LabelNames);
        Assert.Equal([1, 1, 1, 0, 0, 1], found.Rows(data["train"], "train").MultiHot(2));
        var given = ClassificationColumns.Find(data, new() { Task = TaskKind.MultiLabel, LabelSeparator = ";" });
        Assert.Equal(["insult", "toxic", "toxic, insult"], given.LabelNames);
    }

    [Fact]
    public void Rows_ListsWhereOneLabelIsAskedFor_AreBadUnlessTheyHaveOne()
    {
        var data = Splits(("train", [new { text = "a", label = (string[])["x"] }, new { text = "b", label = (string[])["y"] },
            new { text = "c", label = (string[])["x", "z"] }, new { text = "d", label = (string[])[] }]));
        var single = new ClassificationOptions { Task = TaskKind.SingleLabel };
        Assert.StartsWith("The split \"train\", row 3: the row has 2 labels (x, z) where one is needed; correct the row", Fails(data, single), StringComparison.Ordinal);
        var empty = new DatasetDict([KeyValuePair.Create("train", data["train"].Select([3, 0, 1]))]);
        Assert.StartsWith("The split \"train\", row 1: the row has 0 labels where one is needed", Fails(empty, single), StringComparison.Ordinal);

        var lenient = ClassificationColumns.Find(data, single with { Reading = new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 0.5 } });
        Assert.Equal(["x", "y"], lenient.LabelNames);                           // a row that is left out makes no class
        Assert.Equal([0L, 1L], lenient.Rows(data["train"], "train").Classes);

        var numbers = Splits(("train", [new { text = "a", label = (double[])[1.5] }, new { text = "b", label = (double[])[1.5, 2] }, new { text = "c", label = (double[])[] }]));
        var regression = new ClassificationOptions { Task = TaskKind.Regression };
        Assert.StartsWith("The split \"train\", row 2: the row has 2 labels (1.5, 2) where one", Fails(numbers, regression), StringComparison.Ordinal);
        var last = new DatasetDict([KeyValuePair.Create("train", numbers["train"].Select([0, 2]))]);
        Assert.StartsWith("The split \"train\", row 2: the row has 0 labels", Fails(last, regression), StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OneClass_IsToldWhereItIsTrained()
    {
        var told = new List<string>();
        var data = Splits(("train", [new { text = "a", label = "x" }, new { text = "b", label = "x" }]));
        var options = new ClassificationOptions { Reading = new() { Warn = told.Add } };
        Assert.Equal(["x"], ClassificationColumns.Find(data, options with { IsForTraining = false }).LabelNames);
        Assert.Empty(told);
        Assert.Equal([0L, 0L], ClassificationColumns.Find(data, options).Rows(data["train"], "train").Classes!);
        Assert.Equal("Warning: every row of the split \"train\" has the label \"x\", from which nothing can be learned; add rows of other classes.", Assert.Single(told));
    }

    [Fact]
    public void Find_ThousandClasses_AreAllNumbered()
    {
        var data = Splits(("train", Enumerable.Range(0, 3000).Select(i => (object)new { text = $"t{i}", label = $"class {i % 1000:000}" })));
        var columns = ClassificationColumns.Find(data);
        Assert.Equal((1000, "class 999"), (columns.LabelNames.Count, columns.LabelNames[^1]));
        Assert.Equal(Enumerable.Range(0, 3000).Select(i => i % 1000L), columns.Rows(data["train"], "train").Classes!);
    }

    [Fact]
    public void Find_FloatLabels_AreRegressionUnlessSaidOtherwise()
    {
        var data = Splits(("train", [new { text = "a", score = 1.0 }, new { text = "b", score = 2.0 }]));
        var found = ClassificationColumns.Find(data);
        Assert.Equal(TaskKind.Regression, found.Task);
        Assert.Empty(found.LabelNames);
        Assert.Equal([1.0, 2.0], found.Rows(data["train"], "train").Targets);
        Assert.Equal(["1", "2"], ClassificationColumns.Find(data, new() { Task = TaskKind.SingleLabel }).LabelNames);

        var stars = Splits(("train", [new { text = "a", label = 1 }, new { text = "b", label = 5 }]));
        Assert.Equal([1.0, 5.0], ClassificationColumns.Find(stars, new() { Task = TaskKind.Regression }).Rows(stars["train"], "train").Targets);
    }

    [Fact]
    public void Rows_NamesOfAModel_DecideTheNumbers()
    {
        var data = Splits(("test", [new { text = "a", label = "positive" }, new { text = "b", label = "negative" }]));
        Assert.Equal([0L, 1L], Classes(data, "POSITIVE", "NEGATIVE"));
        Assert.Equal([1L, 0L], Classes(data, "negative", "positive"));

        var byNumber = Splits(("test", [new { text = "a", label = 1 }, new { text = "b", label = 0 }]));
        Assert.Equal([1L, 0L], Classes(byNumber, "negative", "positive"));
        // Classes that are named by numbers are meant by name: a model of one to three stars.
        Assert.Equal([0L], Classes(Splits(("test", [new { text = "a", label = 1 }])), "1", "2", "3"));

        var classLabels = new DatasetDict([KeyValuePair.Create("test", data["test"].CastColumn("label", new ClassLabel(["negative", "positive"])))]);
        Assert.Equal([0L, 1L], Classes(classLabels, "positive", "negative"));
        Assert.Equal([1L, 0L], Classes(classLabels, "LABEL_0", "LABEL_1"));

        static IReadOnlyList<long>? Classes(DatasetDict data, params string[] names) =>
            ClassificationColumns.Find(data, new() { LabelNames = names }).Rows(data["test"], "test").Classes;
    }

    [Fact]
    public void Rows_TestSplitWithoutLabels_HasNone()
    {
        var train = new object[] { new { text = "a", label = 0 }, new { text = "b", label = 1 } };
        var minusOne = Splits(("train", train), ("test", [new { text = "c", label = -1 }, new { text = "d", label = -1 }]));
        var absent = Splits(("train", train), ("test", [new { text = "c" }]));
        foreach (var data in new[] { minusOne, absent })
        {
            var found = ClassificationColumns.Find(data);
            Assert.Equal(["0", "1"], found.LabelNames);
            Assert.False(found.Rows(data["test"], "test").HasLabels);
            Assert.True(found.Rows(data["train"], "train").HasLabels);
        }
    }

    [Fact]
    public void Rows_LabelOutsideTheClasses_NamesFileAndRow()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.csv", "text,label\nok,yes\nno,no\nhm,maybe\n");
        var data = DatasetDict.FromFiles(test: path);
        Assert.Equal($"{path}, row 3 (line 4): the label \"maybe\" is not one of the 2 classes (no, yes); correct the row, " +
            "or leave such rows out with --on-bad-row skip.", Fails(data, new() { LabelNames = ["no", "yes"] }, "test"));

        var lenient = new ClassificationOptions { LabelNames = ["no", "yes"], Reading = new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 0.5 } };
        var rows = ClassificationColumns.Find(data, lenient).Rows(data["test"], "test");
        Assert.Equal([1L, 0L], rows.Classes);
        Assert.Equal([0, 1], rows.RowNumbers);
    }

    [Fact]
    public void Rows_NullTextMissingLabelOrMinusOne_NamesRow()
    {
        var noText = Splits(("train", [new { text = (string?)"a", label = 0 }, new { text = (string?)null, label = 1 }]));
        Assert.StartsWith("The split \"train\", row 2: there is no text in the column \"text\"; fill it in", Fails(noText), StringComparison.Ordinal);
        var noLabel = Splits(("train", [new { text = "a", label = (int?)0 }, new { text = "b", label = (int?)1 }, new { text = "c", label = (int?)null }]));
        Assert.StartsWith("The split \"train\", row 3: the label is missing and is not one of the 2 classes (0, 1)", Fails(noLabel), StringComparison.Ordinal);
        var minusOne = Splits(("train", [new { text = "a", label = 0 }, new { text = "b", label = 1 }, new { text = "c", label = -1 }]));
        Assert.StartsWith("The split \"train\", row 3: the label -1 stands for a row without label", Fails(minusOne), StringComparison.Ordinal);
        var noNumber = Splits(("train", [new { text = "a", label = "1.5" }, new { text = "b", label = "x" }]));
        Assert.StartsWith("The split \"train\", row 2: the label \"x\" is not a number", Fails(noNumber, new() { Task = TaskKind.Regression }), StringComparison.Ordinal);
    }

    [Fact]
    public void Find_ColumnAbsent_ListsThoseThereAre()
    {
        var data = Splits(("train", [new { a = "x", b = "y", n = 1 }, new { a = "x", b = "y", n = 2 }]));
        Assert.Contains("there is no label column of a usual name among a, b, n; name one by --label-column-name", Fails(data), StringComparison.Ordinal);
        Assert.Contains("there is no text column of a usual name among a, b, n; name one by --text-column-names", Fails(data, new() { LabelColumnName = "n" }), StringComparison.Ordinal);
        Assert.StartsWith("The split \"train\": there is no text column \"q\" among a, b, n", Fails(data, new() { TextColumnNames = ["q"], LabelColumnName = "n" }), StringComparison.Ordinal);
        Assert.StartsWith("The split \"train\": there is no label column \"q\" among a, b, n", Fails(data, new() { TextColumnNames = ["a"], LabelColumnName = "q" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Find_UselessLabels_SaysWhy()
    {
        var one = Splits(("train", [new { text = "a", label = "x" }, new { text = "b", label = "x" }]));
        var none = Splits(("train", [new { text = "a", label = -1 }, new { text = "b", label = -1 }]));
        Assert.StartsWith("No row of the split \"train\" has a label in the column \"label\"", Fails(none), StringComparison.Ordinal);
        var empty = new DatasetDict([KeyValuePair.Create("train", one["train"]), KeyValuePair.Create("validation", one["train"].Select([]))]);
        Assert.Equal("The split \"validation\" has no rows; fill it or leave it out.", Fails(empty));
        Assert.StartsWith("The class names x, x have one twice", Fails(one, new() { LabelNames = ["x", "x"], Task = TaskKind.MultiLabel }), StringComparison.Ordinal);
        var free = Splits(("train", Enumerable.Range(0, 60).Select(i => (object)new { text = "a", label = $"comment {i}" })));
        Assert.StartsWith("The column \"label\" has 60 different values in 60 rows, which are no classes", Fails(free), StringComparison.Ordinal);
    }
}
