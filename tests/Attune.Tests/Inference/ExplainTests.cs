using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Inference;

[Collection("torch")]
public sealed class ExplainTests : IDisposable
{
    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "##s", "##y", "very"];
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(AttributionMethod.IntegratedGradients)]
    [InlineData(AttributionMethod.Occlusion)]
    public void Explain_Pair_HasEachTokenAndWordWithItsPlace(AttributionMethod method)
    {
        using var classifier = Loaded();
        var told = classifier.Explain("Good FILMSY", "bad zebra", new AttributionOptions { Method = method }, Cancellation);
        Assert.Equal(method, told.Method);
        Assert.Equal(["good", "film", "##s", "##y", "bad", "[UNK]"], told.Tokens.Select(token => token.Text));
        Assert.Equal([("Good", false, 0, 4), ("FILMSY", false, 5, 11), ("bad", true, 0, 3), ("zebra", true, 4, 9)],
            told.Words.Select(word => (word.Text, word.IsOfPair, word.Start, word.End)));
        Assert.Equal((5, 9), (told.Tokens[1].Start, told.Tokens[1].End));
        Assert.Equal(told.Tokens.Skip(1).Take(3).Sum(token => token.Score), told.Words[1].Score, 1e-9);
        Assert.Equal(classifier.Predict("Good FILMSY", "bad zebra").Label, told.Label);
    }

    [Fact]
    public void Explain_PunctuationAndIdeographs_AreWordsByThemselves()
    {
        using var classifier = Loaded();
        Assert.Equal(["good", "-", "films", "好", "坏", "very", "!"], classifier.Explain("good-films 好坏 very!", null, null, Cancellation).Words.Select(word => word.Text));
    }

    [Fact]
    public void Explain_IntegratedGradients_AddUpToTheLogit()
    {
        using var classifier = Loaded();
        var told = classifier.Explain("very good films", null, null, Cancellation);
        Assert.Equal(AttributionMethod.IntegratedGradients, told.Method);
        Assert.Equal(told.Logit - told.BaselineLogit, told.Sum, 1e-4);
        Assert.Equal(told.Sum, told.Tokens.Sum(token => token.Score), 1e-9);
    }

    [Fact]
    public void Explain_Occlusion_IsWhatTheLogitLoses()
    {
        using var classifier = Loaded();
        var options = new AttributionOptions { Method = AttributionMethod.Occlusion, Label = "b" };
        var (whole, without) = (classifier.Explain("very good films", null, options, Cancellation), classifier.Explain("very [MASK] films", null, options, Cancellation));
        Assert.Equal("b", whole.Label);
        Assert.Equal(whole.Logit - without.Logit, whole.Words[1].Score, 1e-5);
    }

    [Fact]
    public void Explain_NothingOfATextLeft_HasNoParts()
    {
        using var classifier = Loaded();
        Assert.Empty(classifier.Explain("", null, null, Cancellation).Words);
        Assert.Empty(classifier.Explain("", null, new AttributionOptions { Method = AttributionMethod.Occlusion }, Cancellation).Tokens);
    }

    [Theory]
    [InlineData(AttributionMethod.IntegratedGradients)]
    [InlineData(AttributionMethod.Occlusion)]
    public void Explain_ClosedOrCancelled_Ends(AttributionMethod method)
    {
        using var classifier = Loaded();
        var options = new AttributionOptions { Method = method };
        Assert.Throws<OperationCanceledException>(() => classifier.Explain("very good films", null, options, new CancellationToken(canceled: true)));
        Assert.NotEmpty(classifier.Predict("good").Label);
        classifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => classifier.Explain("very good films", null, options, Cancellation));
    }

    [Fact]
    public void Explain_UnknownClass_NamesTheClasses()
    {
        using var classifier = Loaded();
        var error = Assert.Throws<AttuneException>(() => classifier.Explain("good", null, new AttributionOptions { Label = "d" }, Cancellation));
        Assert.Contains("a, b, c", error.Message, StringComparison.Ordinal);
    }

    private Classifier Loaded()
    {
        BertTokenizer.FromVocabulary(Words).Save(_folder.Path);
        using (var model = BertForSequenceClassification.FromConfig(new BertConfig
        {
            VocabSize = Words.Length,
            HiddenSize = 24,
            NumHiddenLayers = 2,
            NumAttentionHeads = 3,
            IntermediateSize = 40,
            MaxPositionEmbeddings = 32,
            LabelNames = ["a", "b", "c"],
            InitializerRange = 0.3,
        }, seed: 3)) model.SavePretrained(_folder.Path);
        return Classifier.Load(_folder.Path, new ClassifierOptions { Engine = EngineChoice.Torch, SpecialTokensInText = SpecialTokensInText.AsTokens });
    }
}
