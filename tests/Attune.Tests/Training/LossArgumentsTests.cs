using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Weights by name, by a file and by the training rows; and what does not fit together.</summary>
[Collection("torch")]
public sealed class LossArgumentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BertForSequenceClassification _model = TinyRun.Model();
    private readonly List<string> _notices = [];

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("a=2,c=0.5", new[] { 2, 1, 0.5 })]
    [InlineData(" b = 1e1 ", new[] { 1, 10, 1.0 })]
    [InlineData("{\"a\": 2, \"b\": 0, \"c\": 0.25}", new[] { 2, 0, 0.25 })]
    public void Parse_NamesAndWeights_AreInTheOrderOfTheClasses(string text, double[] weights) =>
        Assert.Equal(weights, LabelWeights.Parse("class_weights", text, ["a", "b", "c"]));

    [Fact]
    public void Parse_NamesWithSigns_AreTakenFromJson() =>
        Assert.Equal([3, 0.5], LabelWeights.Parse("class_weights", "{\"1 = low, or none\": 3, \"x=y\": 0.5}", ["1 = low, or none", "x=y"]));

    [Theory]
    [InlineData("weights.json", "class_weights is weights.json; it must be balanced, names and weights such as negative=1,positive=3, or a JSON file of them that exists.")]
    [InlineData("=3", "class_weights is =3; it must be balanced, names and weights such as negative=1,positive=3, or a JSON file of them that exists.")]
    [InlineData("alpa=3", "class_weights names \"alpa\", which is none of the classes (alpha, beta). Did you mean \"alpha\"?")]
    [InlineData("alpha=-1", "class_weights: the weight of \"alpha\" must be a number of at least 0.")]
    [InlineData("{\"alpha\": \"2\"}", "class_weights: the weight of \"alpha\" must be a number of at least 0.")]
    [InlineData("{\"alpha\": NaN}", "class_weights: the weight of \"alpha\" must be a number of at least 0.")]
    [InlineData("{\"alpha\": null}", "class_weights: the weight of \"alpha\" must be a number of at least 0.")]
    [InlineData("alpha=0,beta=0", "class_weights gives every class the weight 0, so nothing is learned; give some class more.")]
    public void Parse_AnythingElse_IsOneSentence(string text, string message) =>
        Assert.Equal(message, Assert.Throws<AttuneException>(() => LabelWeights.Parse("class_weights", text, ["alpha", "beta"])).Message);

    /// <summary>The run's folder keeps the weights, so that it can be repeated without the file.</summary>
    [Fact]
    public void Validated_WeightsInAFile_AreKeptAsTheyAre()
    {
        var file = _folder.Write("weights.json", "{\n  \"a\": 2,\n  \"c\": 0.5\n}\n");
        var args = new TrainingArguments { ClassWeights = file, PosWeights = file }.Validated();
        Assert.Equal("{\"a\": 2, \"c\": 0.5}", args.ClassWeights);
        Assert.Equal(args.ClassWeights, args.PosWeights);
        Assert.Equal([2, 1, 0.5], LabelWeights.Parse("class_weights", args.ClassWeights!, ["a", "b", "c"]));
        var list = _folder.Write("list.json", "[1, 2]");
        Assert.Contains("is not a JSON object", Assert.Throws<AttuneException>(() => new TrainingArguments { PosWeights = list }.Validated()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromJson_WeightsAsAnObject_AreTakenAsTheirText()
    {
        var args = TransformersArguments.FromJson(new() { ["class_weights"] = new JsonObject { ["é"] = 2, ["c"] = 0.5 }, ["pos_weights"] = "balanced", ["neftune_noise_alpha"] = 5 });
        Assert.Equal(("{\"é\": 2, \"c\": 0.5}", "balanced", 5.0), (args.ClassWeights, args.PosWeights, args.NeftuneNoiseAlpha));
        Assert.Throws<AttuneException>(() => TransformersArguments.FromJson(new() { ["output_dir"] = new JsonObject() }));
    }

    /// <summary>scikit-learn 1.7: compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 2, 2]) gives 0.58333333, 2.33333333, 1.16666667.</summary>
    [Fact]
    public void Read_Balanced_CountsTheTrainingRowsAsScikitLearn()
    {
        var train = new ClassLabels([0, 2, ClassLabels.Ignored, 0, 1, 0, 0, 2]);
        var options = LossArguments.Read(new TrainingArguments { ClassWeights = "balanced" }, _model, train, train, _notices.Add);
        Assert.Equal([7 / 12.0, 7 / 3.0, 7 / 6.0], options.ClassWeights!);
        Assert.Equal(["class_weights: a 0.5833, b 2.3333, c 1.1667."], _notices);

        var several = new MultiLabels([1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1], 3);
        options = LossArguments.Read(new TrainingArguments { PosWeights = "balanced" }, _model, several, several, _notices.Add);
        Assert.Equal([1 / 3.0, 3, 1 / 3.0], options.PositiveWeights!);
    }

    [Fact]
    public void Read_BalancedWithoutRowsOfAClass_WeighsItOneAndSaysSo()
    {
        LossOptions Read(TrainingArguments args, Labels labels) => LossArguments.Read(args, _model, labels, labels, _notices.Add);
        Assert.Equal([0.5, 1, 1], Read(new() { ClassWeights = "balanced" }, new ClassLabels([0, 2, 0])).ClassWeights!);
        Assert.Equal("class_weights: no training row has the label \"b\", so it weighs 1.", _notices[0]);
        Assert.Equal([0, 0, 1], Read(new() { PosWeights = "balanced" }, new MultiLabels([1, 1, 0], 3)).PositiveWeights!);
        Assert.Contains("pos_weights: no training row has the label \"c\", so it weighs 1.", _notices);
        Assert.Equal("class_weights is balanced, but there are no labelled training rows to count; give weights by name.",
            Message(new() { ClassWeights = "balanced" }, null));
    }

    [Fact]
    public void Read_LossOfOtherLabels_IsRefused()
    {
        Labels several = new MultiLabels([1, 1, 0], 3), numbers = new RegressionTargets([1, 2, 3], 3);
        Assert.Contains("class_weights is for one class a row", Message(new() { ClassWeights = "a=2" }, several), StringComparison.Ordinal);
        Assert.Contains("pos_weights is for several classes a row", Message(new() { PosWeights = "a=2" }, new ClassLabels([0])), StringComparison.Ordinal);
        Assert.Contains("regression_loss is for a regression", Message(new() { RegressionLoss = RegressionLoss.Mae }, several), StringComparison.Ordinal);
        Assert.Contains("focal_gamma is for classes", Message(new() { FocalGamma = 2 }, numbers), StringComparison.Ordinal);
    }

    [Fact]
    public void Trainer_OwnLossBesideABuiltInOne_IsRefused()
    {
        TrainingArguments[] both =
        [
            new() { LabelSmoothingFactor = 0.1 }, new() { ClassWeights = "a=2" }, new() { PosWeights = "a=2" }, new() { FocalGamma = 1 }, new() { RegressionLoss = RegressionLoss.Huber },
        ];
        Assert.All(both, args => Assert.Contains("beside a loss of one's own", Assert.Throws<AttuneException>(
            () => new Trainer(_model, args with { OutputDir = _folder.Path }, TinyRun.Data(4), computeLoss: (logits, _) => logits.sum())).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Validated_NumbersOutOfRange_AreRefused()
    {
        TrainingArguments[] wrong =
        [
            new() { FocalGamma = -1 }, new() { FocalGamma = double.NaN }, new() { HuberDelta = 0 }, new() { NeftuneNoiseAlpha = -5 }, new() { RDropAlpha = double.PositiveInfinity },
            new() { FgmEpsilon = -1 }, new() { DecayToPretrained = -0.1 }, new() { DecayToPretrained = 300, LearningRate = 0.01 },
            new() { RDropAlpha = 1, FgmEpsilon = 1 },
        ];
        Assert.All(wrong, args => Assert.Matches(@"^[^\n]+\.$", Assert.Throws<AttuneException>(() => args.Validated()).Message));
    }

    private string Message(TrainingArguments args, Labels? labels) =>
        Assert.Throws<AttuneException>(() => LossArguments.Read(args, _model, labels, labels, _notices.Add)).Message;
}
