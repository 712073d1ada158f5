using System.Reflection;
using Attune.Inference;
using Attune.ML;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tests.Inference;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Attune.Tests.ML;

/// <summary>A classifier as a step of ML.NET's pipelines. Its scores are a text's numbers of "good", of "bad" and of all words, as logits.</summary>
public sealed class ClassifierTransformerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Transform_Pipeline_AddsLabelAndScoresOfEveryRow()
    {
        var (engine, classifier) = Classifier();
        using var _ = classifier;
        var rows = Rows(3000);
        var data = _ml.Data.LoadFromEnumerable(rows);
        var pipeline = _ml.Transforms.Text.NormalizeText("Text", keepPunctuations: false)
            .Append(_ml.Transforms.Text.ApplyClassifier(classifier))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var answers = _ml.Data.CreateEnumerable<Answer>(pipeline.Fit(data).Transform(data), reuseRowObject: false).ToArray();
        Assert.Equal(rows.Length, answers.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var expected = classifier.Predict(rows[i].Text);
            Assert.Equal((rows[i].Number, expected.Label), (answers[i].Number, answers[i].PredictedLabel));
            Assert.Equal(expected.Scores.Select(score => (float)score), answers[i].Score);
        }
        Assert.Equal(3000, engine.Batches.TakeWhile(size => size > 1).Sum());             // then the single ones of this test
        Assert.InRange(engine.Batches.Count(size => size == 32), 3000 / 32 - 2, 3000 / 32);
    }

    [Fact]
    public void Transform_FewRowsOfMany_ComputesLittle()
    {
        var (engine, classifier) = Classifier();
        using var _ = classifier;
        var answers = _ml.Transforms.Text.ApplyClassifier(classifier).Fit(_ml.Data.LoadFromEnumerable(Rows(1))).Transform(_ml.Data.LoadFromEnumerable(Rows(10000)));
        Assert.Empty(engine.Batches);
        Assert.Equal(5, answers.Preview(maxRows: 5).RowView.Length);
        Assert.InRange(engine.Batches.Sum(), 5, 64);
        var before = engine.Batches.Count;
        Assert.Equal(10000, answers.GetColumn<int>("Number").Count());      // without the answers
        Assert.Equal(before, engine.Batches.Count);
        Assert.Equal(10000, answers.GetColumn<float[]>("Score").Count());
    }

    [Fact]
    public void Schema_SingleLabel_HasTheLabelsAsKeysAndSlots()
    {
        using var classifier = Classifier().Classifier;
        var estimator = _ml.Transforms.Text.ApplyClassifier(classifier, "Text", predictedLabelColumnName: "Said", scoreColumnName: "Sure");
        var data = _ml.Data.LoadFromEnumerable(Rows(3));
        var schema = estimator.Fit(data).GetOutputSchema(data.Schema);
        Assert.Equal(["Text", "Pair", "Number", "Said", "Sure"], schema.Select(column => column.Name));
        Assert.Equal(3u, (uint)Assert.IsType<KeyDataViewType>(schema["Said"].Type).Count);
        VBuffer<ReadOnlyMemory<char>> names = default;
        schema["Said"].GetKeyValues(ref names);
        Assert.Equal(["good", "bad", "all"], names.DenseValues().Select(name => $"{name}"));
        schema["Sure"].GetSlotNames(ref names);
        Assert.Equal(["good", "bad", "all"], names.DenseValues().Select(name => $"{name}"));
        Assert.Equal(schema.Select(column => column.Name), estimator.Fit(data).Transform(data).Schema.Select(column => column.Name));
    }

    [Theory]
    [InlineData(ProblemType.SingleLabelClassification, "PredictedLabel:Scalar:UInt32:KeyValues Score:Vector:Single:SlotNames")]
    [InlineData(ProblemType.MultiLabelClassification, "Score:Vector:Single:SlotNames PredictedLabel:Vector:Boolean:SlotNames")]
    [InlineData(ProblemType.Regression, "Score:Scalar:Single:")]
    public void SchemaShape_EachKindOfModel_SaysWhatTheSchemaHas(ProblemType kind, string expected)
    {
        using var classifier = Classifier(kind, kind == ProblemType.Regression ? ["all"] : ["good", "bad", "all"]).Classifier;
        var added = _ml.Transforms.Text.ApplyClassifier(classifier).GetOutputSchema(Shape(_ml.Data.LoadFromEnumerable(Rows(1)).Schema)).Where(column => column.Name is "PredictedLabel" or "Score");
        Assert.Equal(expected, string.Join(' ', added.Select(column =>
            $"{column.Name}:{column.Kind}:{column.ItemType.RawType.Name}:{string.Join(',', column.Annotations.Select(annotation => annotation.Name))}")));
    }

    [Fact]
    public void Transform_MultiLabel_SaysWhichCount()
    {
        using var classifier = Classifier(ProblemType.MultiLabelClassification).Classifier;
        var data = _ml.Data.LoadFromEnumerable(Rows(50));
        var answers = _ml.Data.CreateEnumerable<SeveralAnswer>(_ml.Transforms.Text.ApplyClassifier(classifier).Fit(data).Transform(data), false).ToArray();
        foreach (var (row, answer) in Rows(50).Zip(answers))
            Assert.Equal(classifier.Predict(row.Text).ChosenLabels, classifier.LabelNames.Where((_, i) => answer.PredictedLabel[i]));
    }

    [Fact]
    public void PredictionEngine_RowByRow_IsTheSame()
    {
        using var classifier = Classifier().Classifier;
        var model = _ml.Transforms.Text.ApplyClassifier(classifier).Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(_ml.Data.LoadFromEnumerable(Rows(1)));
        using var engine = _ml.Model.CreatePredictionEngine<Row, Answer>(model);
        foreach (var row in Rows(40))
        {
            var (expected, answer) = (classifier.Predict(row.Text), engine.Predict(row));
            Assert.Equal((row.Number, expected.Label), (answer.Number, answer.PredictedLabel));
            Assert.Equal(expected.Scores.Select(score => (float)score), answer.Score);
        }
    }

    [Fact]
    public void Transform_RegressionOfPairs_IsTheNumber()
    {
        using var classifier = Classifier(ProblemType.Regression, "all").Classifier;
        var data = _ml.Data.LoadFromEnumerable(Rows(100));
        var model = _ml.Transforms.Text.ApplyClassifier(classifier, "Text", "Pair").Fit(data);
        Assert.Equal(Rows(100).Select(row => (float)classifier.Predict(row.Text, row.Pair).Score), model.Transform(data).GetColumn<float>("Score"));
        using var engine = _ml.Model.CreatePredictionEngine<Row, NumberAnswer>(model);
        Assert.Equal(classifier.Predict("good", "bad bad").Score, engine.Predict(new Row { Text = "good", Pair = "bad bad" }).Score);
    }

    [Fact]
    public void Fit_ColumnMissingOrNoText_IsRefused()
    {
        using var classifier = Classifier().Classifier;
        var data = _ml.Data.LoadFromEnumerable(Rows(1));
        Assert.StartsWith("There is no column Body; name the one with the texts.",
            Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.ApplyClassifier(classifier, "Body").Fit(data)).Message, StringComparison.Ordinal);
        Assert.StartsWith("The column Number holds Int32; a classifier reads text.",
            Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.ApplyClassifier(classifier, "Text", "Number").Fit(data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_OneSentenceSaysWhatToDo()
    {
        using var classifier = Classifier().Classifier;
        var data = _ml.Data.LoadFromEnumerable(Rows(1));
        using var stream = new MemoryStream();
        var refused = Assert.ThrowsAny<Exception>(() => _ml.Model.Save(_ml.Transforms.Text.ApplyClassifier(classifier).Fit(data), data.Schema, stream));
        Assert.Contains("put ApplyClassifier between them again", refused.GetBaseException().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_ClassifierOfTheCaller_StaysOpen()
    {
        var (engine, classifier) = Classifier();
        _ml.Transforms.Text.ApplyClassifier(classifier).Fit(_ml.Data.LoadFromEnumerable(Rows(1))).Dispose();
        Assert.Equal(0, engine.Closed);
        classifier.Dispose();
        Assert.Throws<AttuneException>(() => _ml.Transforms.Text.ApplyClassifier("nowhere"));
    }

    [Fact]
    public void Fit_Twice_TheClassifierStaysOpenForTheSecond()
    {
        List<CountingEngine> loaded = [];
        var estimator = new ClassifierEstimator(new ClassifierSource(() =>
        {
            var (engine, classifier) = Classifier();
            loaded.Add(engine);
            return classifier;
        }), new ClassifierColumns("Text", null, "PredictedLabel", "Score"));
        var data = _ml.Data.LoadFromEnumerable(Rows(3));
        var (first, second) = (estimator.Fit(data), estimator.Fit(data));
        Assert.Same(first.Classifier, second.Classifier);
        first.Dispose();
        first.Dispose();                                                    // counts once
        Assert.Equal(3, second.Transform(data).GetColumn<float[]>("Score").Count());
        Assert.Equal(0, loaded.Single().Closed);
        second.Dispose();
        Assert.Equal(1, loaded.Single().Closed);
        using (var third = estimator.Fit(data)) Assert.Equal(3, third.Transform(data).GetColumn<float[]>("Score").Count());
        Assert.Equal([1, 1], loaded.Select(engine => engine.Closed));
    }

    private (CountingEngine Engine, Classifier Classifier) Classifier(ProblemType kind = ProblemType.SingleLabelClassification, params string[] labels)
    {
        var engine = new CountingEngine(_folder, kind, labels.Length == 0 ? ["good", "bad", "all"] : labels);
        return (engine, new Classifier(engine));
    }

    private static Row[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => new Row
    {
        Text = string.Join(' ', Enumerable.Range(0, i * 7 % 23).Select(word => (word * word + i) % 3 == 0 ? "good" : "bad")),
        Pair = string.Join(' ', Enumerable.Repeat("bad", i % 4)),
        Number = i,
    })];

    /// <summary>ML.NET makes it for its own steps only.</summary>
    private static SchemaShape Shape(DataViewSchema schema) =>
        (SchemaShape)typeof(SchemaShape).GetMethod("Create", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, [schema])!;

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Pair { get; set; } = "";

        public int Number { get; set; }
    }

    private sealed class Answer
    {
        public int Number { get; set; }

        public string PredictedLabel { get; set; } = "";

        public float[] Score { get; set; } = [];
    }

    private sealed class SeveralAnswer
    {
        public bool[] PredictedLabel { get; set; } = [];
    }

    private sealed class NumberAnswer
    {
        public float Score { get; set; }
    }
}
