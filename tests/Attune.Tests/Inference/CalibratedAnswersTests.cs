using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Inference;

[Collection("torch")]
public sealed class CalibratedAnswersTests : IDisposable
{
    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ProblemType.SingleLabelClassification)]
    [InlineData(ProblemType.MultiLabelClassification)]
    public void Predict_TemperatureOfTheFolder_DividesTheLogits(ProblemType kind)
    {
        var plain = Predicted(kind, new PredictionSettings());
        var cold = Predicted(kind, new PredictionSettings { Temperature = 0.25 });
        double[] expected = kind == ProblemType.MultiLabelClassification
            ? [.. plain.Scores.Select(p => 1 / (1 + Math.Pow((1 - p) / p, 4)))]
            : [.. plain.Scores.Select(p => Math.Pow(p, 4) / plain.Scores.Sum(q => Math.Pow(q, 4)))];
        for (var label = 0; label < 3; label++) Assert.Equal(expected[label], cold.Scores[label], 1e-6);
        Assert.Equal(plain.Label, cold.Label);
        Assert.True(cold.Score > plain.Score || kind == ProblemType.MultiLabelClassification);
    }

    [Fact]
    public void IsAbstained_Confidence_DecidesIt()
    {
        var confidence = Predicted(ProblemType.SingleLabelClassification, new PredictionSettings()).Confidence;
        Assert.False(Predicted(ProblemType.SingleLabelClassification, new PredictionSettings()).IsAbstained);
        Assert.False(Predicted(ProblemType.SingleLabelClassification, new PredictionSettings { AbstainBelow = confidence - 1e-6 }).IsAbstained);
        var silent = Predicted(ProblemType.SingleLabelClassification, new PredictionSettings { AbstainBelow = confidence + 1e-6 });
        Assert.True(silent.IsAbstained);
        Assert.Equal(silent.Scores.Max(), silent.Score);                   // what it would have said is still there
    }

    [Fact]
    public void Confidence_SeveralLabels_IsThatOfTheLeastSureDecision()
    {
        var told = Predicted(ProblemType.MultiLabelClassification, new PredictionSettings());
        Assert.Equal(told.Scores.Min(p => p > 0.5 ? p : 1 - p), told.Confidence, 1e-12);
        Assert.True(Predicted(ProblemType.MultiLabelClassification, new PredictionSettings { AbstainBelow = 1 }).IsAbstained);
    }

    [Fact]
    public void IsAbstained_Number_NeverIs() => Assert.False(Predicted(ProblemType.Regression, new PredictionSettings { AbstainBelow = 1 }).IsAbstained);

    [Fact]
    public void Settings_SavedAndLoaded_AreTheSame()
    {
        new PredictionSettings { Temperature = 1.75, AbstainBelow = 0.6 }.Save(_folder.Path);
        var loaded = PredictionSettings.Load(_folder.Path);
        Assert.Equal((1.75, 0.6), (loaded.Temperature, loaded.AbstainBelow));
        new PredictionSettings().Save(_folder.Path);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Theory]
    [InlineData("""{"temperature": 0}""", "temperature")]
    [InlineData("""{"temperature": "warm"}""", "temperature")]
    [InlineData("""{"abstain_below": 1.5}""", "abstain_below")]
    public void Settings_WrongValues_AreNamed(string json, string name)
    {
        File.WriteAllText(Path.Combine(_folder.Path, PredictionSettings.FileName), json);
        Assert.Contains(name, Assert.Throws<AttuneException>(() => PredictionSettings.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private TextPrediction Predicted(ProblemType kind, PredictionSettings settings)
    {
        BertTokenizer.FromVocabulary(Words).Save(_folder.Path);
        using (var model = BertForSequenceClassification.FromConfig(new BertConfig
        {
            VocabSize = Words.Length,
            HiddenSize = 24,
            NumHiddenLayers = 1,
            NumAttentionHeads = 3,
            IntermediateSize = 40,
            MaxPositionEmbeddings = 32,
            LabelNames = kind == ProblemType.Regression ? ["LABEL_0"] : ["a", "b", "c"],
            ProblemType = kind,
            InitializerRange = 0.3,
        }, seed: 3)) model.SavePretrained(_folder.Path);
        settings.Save(_folder.Path);
        using var classifier = Classifier.Load(_folder.Path, new ClassifierOptions { Engine = EngineChoice.Torch });
        return classifier.Predict("good film");
    }
}
