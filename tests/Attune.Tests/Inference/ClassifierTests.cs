using Attune.Batching;
using Attune.Datasets;
using Attune.Inference;
using Attune.Metrics;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Inference;

[Collection("torch")]
public sealed class ClassifierTests : IDisposable
{
    // float32 with rows in other batches; the products are summed in another order.
    private const double Tolerance = 1e-5;

    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "book", "very"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Predict_ManyTexts_SameAsOneByOneAndInTheirOrder()
    {
        using var classifier = Saved(ProblemType.SingleLabelClassification, "a", "b", "c");
        string[] texts = ["good film", "bad", "", "very very bad book", "good", "a film " + string.Join(' ', Enumerable.Repeat("very", 40))];
        var together = classifier.Predict(texts, cancellation: TestContext.Current.CancellationToken);
        for (var i = 0; i < texts.Length; i++)
        {
            var alone = classifier.Predict(texts[i]);
            Assert.Equal(1, alone.Scores.Sum(), Tolerance);
            for (var label = 0; label < 3; label++) Assert.Equal(alone.Scores[label], together[i].Scores[label], Tolerance);
        }
        Assert.Equal(together[0].Scores.Max(), together[0].Score);
    }

    [Fact]
    public async Task PredictAsync_CallersTogether_SameAsOneByOne()
    {
        using var classifier = Saved(ProblemType.SingleLabelClassification, "a", "b", "c");
        var texts = Enumerable.Range(0, 200).Select(i => string.Join(' ', Enumerable.Range(0, i % 12).Select(word => Words[5 + (i + word * word) % 5]))).ToArray();
        var cancellation = TestContext.Current.CancellationToken;
        var together = await Task.WhenAll(texts.Select(text => classifier.PredictAsync(text, cancellation: cancellation)));
        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(classifier.Predict(texts[i]).Scores, together[i].Scores, (one, other) => Math.Abs(one - other) < Tolerance);
        Assert.Empty(await classifier.PredictAsync([], cancellation: cancellation));
        var pairs = await classifier.PredictAsync(["good", "bad"], ["film", "very very book"], cancellation);
        Assert.Equal(classifier.Predict("bad", "very very book").Scores, pairs[1].Scores, (one, other) => Math.Abs(one - other) < Tolerance);
    }

    [Fact]
    public void Load_NoFolder_IsOneSentence() =>
        Assert.Equal("nowhere does not exist; name the folder of a trained model.", Assert.Throws<AttuneException>(() => Classifier.Load("nowhere")).Message);

    [Fact]
    public void Predict_SeveralLabels_EachHasItsOwnProbability()
    {
        using var classifier = Saved(ProblemType.MultiLabelClassification, "a", "b", "c");
        var prediction = classifier.Predict("good film", "bad book");
        Assert.All(prediction.Scores, score => Assert.InRange(score, 0.3, 0.7));       // random weights are near 0.5
        Assert.Equal(["a", "b", "c"], prediction.LabelsFrom(0));
        Assert.Empty(prediction.LabelsFrom(1));
    }

    [Fact]
    public void ChosenLabels_ThresholdsOfTheFolder_DecideThem()
    {
        using (var usual = Saved(ProblemType.MultiLabelClassification, "a", "b", "c"))
        {
            var plain = usual.Predict("good film");
            Assert.Equal(plain.LabelsFrom(0.5), plain.ChosenLabels);
        }
        new PredictionSettings { Thresholds = new Dictionary<string, double> { ["a"] = 1, ["c"] = 0, ["gone"] = 0 }, Threshold = 1 }.Save(_folder.Path);
        using var classifier = Classifier.Load(_folder.Path);
        Assert.Equal(["c"], classifier.Predict("good film").ChosenLabels);
        using var asked = Classifier.Load(_folder.Path, new ClassifierOptions { Settings = new PredictionSettings { Threshold = 0 } });
        Assert.Equal(["a", "b", "c"], asked.Predict("good film").ChosenLabels);
    }

    [Theory]
    [InlineData(ProblemType.SingleLabelClassification, WindowPooling.Mean, false)]
    [InlineData(ProblemType.SingleLabelClassification, WindowPooling.Vote, true)]
    [InlineData(ProblemType.MultiLabelClassification, WindowPooling.Max, false)]
    [InlineData(ProblemType.Regression, WindowPooling.Mean, true)]
    public void Predict_Windows_PoolsThoseOfEachText(ProblemType kind, WindowPooling pooling, bool isPair)
    {
        Saved(kind, kind == ProblemType.Regression ? ["LABEL_0"] : ["a", "b"]).Dispose();
        var settings = new PredictionSettings { LongTexts = LongTexts.Windows, MaxLength = 12, WindowStride = 2, WindowPooling = pooling };
        settings.Save(_folder.Path);
        using var classifier = Classifier.Load(_folder.Path);
        Assert.Equal((12, settings.WindowStride), (classifier.MaxLength, classifier.Settings.WindowStride));
        string[] texts = ["good film", "very bad book very good film bad film very very good book book film", ""];
        string[]? pairs = isPair ? ["bad", "film", "good"] : null;
        var together = classifier.Predict(texts, pairs, out var cut, TestContext.Current.CancellationToken);
        Assert.Equal((3, 1), (together.Count, cut));
        for (var i = 0; i < texts.Length; i++)
        {
            var (rows, starts) = classifier.Tokenizer.EncodePackedWindows([texts[i]], pairs is null ? null : [pairs[i]], 12, 2);
            Assert.Equal(i == 1, rows.Count > 1);
            var logits = new List<float>();
            for (var row = 0; row < rows.Count; row++)
            {
                using var output = Model(classifier).Forward(Batch.Pack([new TokenizedRow(rows.Row(row).ToArray(), rows.TypeIds?[rows.Offsets[row]..rows.Offsets[row + 1]])]));
                logits.AddRange(output.Logits);
            }
            var task = kind == ProblemType.Regression ? TaskKind.Regression : kind == ProblemType.MultiLabelClassification ? TaskKind.MultiLabel : TaskKind.SingleLabel;
            var columns = classifier.LabelNames.Count;
            float[] pooled = PooledWindows.Logits([.. logits], columns, starts, pooling, task);
            double[] expected = task switch
            {
                TaskKind.SingleLabel => Probabilities.Softmax(pooled, columns),
                TaskKind.MultiLabel => Probabilities.Sigmoid(pooled),
                _ => Array.ConvertAll(pooled, value => (double)value),
            };
            for (var column = 0; column < columns; column++) Assert.Equal(expected[column], together[i].Scores[column], Tolerance);
        }
    }

    [Fact]
    public void PredictionSettings_SavedAndLoaded_AreTheSameAndNoFileWhereAllIsUsual()
    {
        var settings = new PredictionSettings
        {
            Thresholds = new Dictionary<string, double> { ["ä \"b\""] = 0.125, ["c"] = 1 },
            Threshold = 0.25,
            LongTexts = LongTexts.Windows,
            MaxLength = 64,
            WindowStride = 0,
            WindowPooling = WindowPooling.Vote,
        };
        settings.Save(_folder.Path);
        var loaded = PredictionSettings.Load(_folder.Path);
        Assert.Equal(settings.Thresholds, loaded.Thresholds);
        Assert.Equal(settings, loaded with { Thresholds = settings.Thresholds });
        Assert.Equal([1, 0.25], loaded.ThresholdsOf(["c", "d"]));
        new PredictionSettings().Save(_folder.Path);
        Assert.False(File.Exists(Path.Combine(_folder.Path, PredictionSettings.FileName)));
        Assert.Equal(LongTexts.Truncate, PredictionSettings.Load(_folder.Path).LongTexts);
    }

    [Theory]
    [InlineData("[]", "is not a JSON object")]
    [InlineData("{\"thresholds\": {\"a\": 1.5}}", "the threshold of \"a\" must be a number from 0 to 1")]
    [InlineData("{\"thresholds\": 0.5}", "thresholds must be an object with a number for each label")]
    [InlineData("{\"threshold\": \"high\"}", "threshold must be a number from 0 to 1")]
    [InlineData("{\"long_texts\": \"cut\"}", "long_texts must be one of truncate, windows")]
    [InlineData("{\"window_pooling\": 1}", "window_pooling must be one of mean, max, vote")]
    [InlineData("{\"window_stride\": -1}", "window_stride must be a number from 0")]
    public void PredictionSettings_Unfit_AreRefusedWithTheirFile(string json, string message)
    {
        var file = _folder.Write(PredictionSettings.FileName, json);
        Assert.StartsWith($"{file}: {message}".Replace(": is", " is", StringComparison.Ordinal),
            Assert.Throws<AttuneException>(() => PredictionSettings.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_Regression_IsTheNumber()
    {
        using var classifier = Saved(ProblemType.Regression, "LABEL_0");
        using var output = Model(classifier).Forward(Batch.Pack([new TokenizedRow([2, 5, 3])]));
        Assert.Equal(output.Logits[0], classifier.Predict("good").Score, Tolerance);
    }

    [Fact]
    public void FromPretrained_NoWeights_IsRefused()
    {
        File.WriteAllLines(Path.Combine(_folder.Path, "vocab.txt"), Words);
        _folder.Write("config.json", "{\"model_type\": \"bert\", \"vocab_size\": 10}");
        var refused = Assert.Throws<AttuneException>(() => Classifier.Load(_folder.Path));
        Assert.Equal($"{_folder.Path} has no weights (model.safetensors or pytorch_model.bin); train it first, or name another model.", refused.Message);
    }

    [Theory]
    [InlineData(null, null, 16)]
    [InlineData(12, null, 12)]
    [InlineData(512, null, 16)]
    [InlineData(12, 8, 8)]
    [InlineData(12, 100, 16)]
    public void RowLength_AskedForElseTheTokenizers_AtMostTheModels(int? tokenizers, int? wanted, int expected)
    {
        var tokenizer = BertTokenizer.FromVocabulary(Words, new BertTokenizerOptions { ModelMaxLength = tokenizers });
        Assert.Equal(expected, RowLength.Of(tokenizer, new BertConfig { MaxPositionEmbeddings = 16 }, wanted));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void RowLength_NoRoomForAWord_IsRefused(int wanted) => Assert.Equal(
        $"max_length is {wanted}; it must be at least 3 to hold a word and its special tokens.",
        Assert.Throws<AttuneException>(() => RowLength.Of(BertTokenizer.FromVocabulary(Words), new BertConfig(), wanted)).Message);

    [Fact]
    public void RowLength_MoreTokensThanTheModelHas_IsRefused() =>
        Assert.Throws<AttuneException>(() => RowLength.Of(BertTokenizer.FromVocabulary(Words), new BertConfig { VocabSize = 9 }));

    [Fact]
    public void EncodedTexts_LongRows_AreCutAndCounted()
    {
        var tokenizer = BertTokenizer.FromVocabulary(Words);
        var rows = new ClassificationRows(["good film", "good very film", "good very very very film", "bad"], null, [0, 1, 2, 3]) { Classes = [0, 1, 0, 1] };
        var (dataset, cut) = EncodedTexts.Of(rows, tokenizer, maxLength: 5);
        Assert.Equal([4, 5, 5, 3], dataset.Rows.Select(row => row.Length));
        Assert.Equal(1, cut);                                  // the second fits exactly
        Assert.Equal([0L, 1, 0, 1], Assert.IsType<ClassLabels>(dataset.Labels).Values);
    }

    [Fact]
    public void EncodedTexts_EachKindOfLabel_IsKept()
    {
        var tokenizer = BertTokenizer.FromVocabulary(Words);
        var rows = new ClassificationRows(["good", "bad"], ["film", "book"], [0, 1]);
        var multi = EncodedTexts.Of(rows with { ClassSets = [[0, 2], []] }, tokenizer, classes: 3).Dataset;
        Assert.Equal([1f, 0, 1, 0, 0, 0], Assert.IsType<MultiLabels>(multi.Labels).Values);
        Assert.Equal([0, 0, 0, 1, 1], multi.Rows[0].TokenTypeIds!);
        Assert.Equal([1.5f, -2], Assert.IsType<RegressionTargets>(EncodedTexts.Of(rows with { Targets = [1.5, -2] }, tokenizer).Dataset.Labels).Values);
        Assert.Null(EncodedTexts.Of(rows, tokenizer).Dataset.Labels);
    }

    private static SequenceClassificationModel Model(Classifier classifier) => ((TorchEngine)classifier.Engine).Model;

    private Classifier Saved(ProblemType kind, params string[] labels)
    {
        var config = new BertConfig
        {
            VocabSize = Words.Length,
            HiddenSize = 16,
            NumHiddenLayers = 1,
            NumAttentionHeads = 2,
            IntermediateSize = 32,
            MaxPositionEmbeddings = 24,
            LabelNames = labels,
            ProblemType = kind,
        };
        using var model = BertForSequenceClassification.FromConfig(config, seed: 7);
        model.SavePretrained(_folder.Path);
        BertTokenizer.FromVocabulary(Words).Save(_folder.Path);
        return Classifier.Load(_folder.Path);
    }
}
