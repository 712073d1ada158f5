using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Training;

namespace Attune.Tests.Pretraining;

/// <summary>Rows that are to be known by their neighbours: the loss, its gradients through the model, in parts and in several processes, and runs of it.</summary>
[Collection("torch")]
public sealed class NeighbourContrastTests : IDisposable
{
    private const int Length = 16;

    private static readonly BertConfig Config = new()
    {
        VocabSize = MadeText.Tokenizer.VocabularySize,
        HiddenSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 24,
        MaxPositionEmbeddings = Length,
    };

    private readonly PretrainingFolder _folder = new(Length);
    private readonly TokenizedDataset _train, _held;

    public NeighbourContrastTests() => (_train, _held) = _folder.Rows(documents: 60, held: 0.2);

    public void Dispose() => _folder.Dispose();

    /// <summary>By the formula, written down once more: the neighbour against all rows of other texts, each way.</summary>
    [Fact]
    public void Of_TwoPairsAndOthers_IsTheFormula()
    {
        var rows = new TokenizedDataset([.. Enumerable.Repeat(_train.Rows[0], 8)], textStarts: [0, 4, 6, 8]);
        int[] batch = [1, 2, 7, 4, 5, 0];                                   // a pair, the last of a text, a pair, and another row of the first text
        var states = Enumerable.Range(0, batch.Length * 3).Select(i => (float)Math.Sin(i * 1.7) + 0.1f).ToArray();
        var (loss, _, count) = new NeighbourContrast(rows, temperature: 0.3).Of(states, batch, null);
        (int Row, int Neighbour, int[] Others)[] asked = [(0, 1, [2, 3, 4]), (1, 0, [2, 3, 4]), (3, 4, [0, 1, 2, 5]), (4, 3, [0, 1, 2, 5])];
        Assert.Equal(asked.Length, count);
        Assert.Equal(asked.Average(one => -Math.Log(Likeness(one.Row, one.Neighbour) / (Likeness(one.Row, one.Neighbour) + one.Others.Sum(other => Likeness(one.Row, other))))), loss, 1e-5);

        double Likeness(int a, int b)
        {
            var (x, y) = (states[(a * 3)..], states[(b * 3)..]);
            return Math.Exp((x[0] * y[0] + x[1] * y[1] + x[2] * y[2]) / Math.Sqrt((x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) * (y[0] * y[0] + y[1] * y[1] + y[2] * y[2])) / 0.3);
        }
    }

    [Fact]
    public void Of_NoNeighboursInTheBatch_IsNothing()
    {
        var gradient = new float[6];
        Assert.Equal((0, 0L, 0L), new NeighbourContrast(new TokenizedDataset([.. Enumerable.Repeat(_train.Rows[0], 4)], textStarts: [0, 2, 4]), 0.1).Of([1, 2, 3, 4, 5, 6], [0, 2, 1], gradient));
        Assert.All(gradient, value => Assert.Equal(0, value));
    }

    /// <summary>Both losses together, along random directions of all weights at once.</summary>
    [Theory, InlineData("bert.pooler.dense.weight"), InlineData("cls.contrast.dense.weight"), InlineData("bert.encoder.layer.1.attention.self.query.weight"),
     InlineData("bert.embeddings.position_embeddings.weight")]
    public void Add_BothLosses_HasTheGradientOfTheirSum(string name) =>
        PretrainingFolder.AssertSlope(name, Model, model => Gradients((BertForMaskedLM)model, null).Add(Neighbours(12), 4, 0.5, MicroBatches.Whole).Value);

    [Fact]
    public void Add_BatchInPartsOrInSeveralProcesses_GivesTheSameGradients() => PretrainingFolder.AssertPartsAndProcesses(Model, Gradients, _train, Neighbours(13));

    [Fact]
    public void Train_TextsOfTheirOwn_LearnsWhichRowsBelongTogether()
    {
        using var model = Model();
        var trainer = new Trainer(Task(model, weight: 1), _folder.Arguments("learns") with { MaxSteps = 120, LearningRate = 5e-3, PerDeviceTrainBatchSize = 24 }, _train, _held);
        var before = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        var after = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        Assert.True(after["eval_contrastive_loss"] < before["eval_contrastive_loss"], $"{after["eval_contrastive_loss"]} and before {before["eval_contrastive_loss"]}");
        Assert.True(after["eval_loss"] < before["eval_loss"] - 0.5);
        Assert.InRange(after["eval_contrastive_accuracy"], 0, 1);
    }

    [Fact]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit() => _folder.AssertResumes(() => Task(Model(), weight: 1), _train);

    /// <summary>The pooler goes into the folder, a classifier begins with it, and learning on from hidden tokens alone leaves it as it is.</summary>
    [Fact]
    public void Save_PoolerThatWasLearned_IsTheClassifiersAndStays()
    {
        const string name = "bert.pooler.dense.weight";
        using var model = Model();
        model.SavePretrained(_folder.Path);
        using var classifier = BertForSequenceClassification.FromPretrained(_folder.Path, ["bad", "good"]);
        Assert.Equal(model.Weights[name].Span, classifier.Weights[name].Span);
        Assert.Equal(["classifier.weight", "classifier.bias"], classifier.LoadReport.New);
        using var on = BertForMaskedLM.FromPretrained(_folder.Path);
        new Trainer(Task(on, weight: 0), _folder.Arguments("on") with { MaxSteps = 2, WeightDecay = 0.5 }, _train).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(model.Weights[name].Span, on.Weights[name].Span);
        Assert.NotEqual(model.Weights["bert.encoder.layer.0.output.dense.weight"].Span[0], on.Weights["bert.encoder.layer.0.output.dense.weight"].Span[0]);
    }

    [Fact]
    public void Create_WhatCannotBe_SaysSo()
    {
        using var model = Model();
        using var plain = BertForMaskedLM.FromConfig(Config);
        Assert.Contains("comparesRows", Refused(plain, _folder.Arguments("a"), _train), StringComparison.Ordinal);
        Assert.Contains("group_by_length", Refused(model, _folder.Arguments("b") with { GroupByLength = true }, _train), StringComparison.Ordinal);
        Assert.Contains("no document has two", Refused(model, _folder.Arguments("c"), new TokenizedDataset(_train.Rows)), StringComparison.Ordinal);
        Assert.Contains("contrastive_weight is -1", Assert.Throws<AttuneException>(() => new Trainer(Task(model, weight: -1), _folder.Arguments("d"), _train)).Message, StringComparison.Ordinal);

        static string Refused(BertForMaskedLM model, TrainingArguments args, TokenizedDataset train) =>
            Assert.Throws<AttuneException>(() => new Trainer(Task(model, weight: 1), args, train)).Message;
    }

    private static BertForMaskedLM Model()
    {
        var model = BertForMaskedLM.FromConfig(Config, seed: 1, dropout: 0, comparesRows: true);
        (model.Training, model.DropoutKey) = (true, (7, 3));
        return model;
    }

    private int[] Neighbours(int rows) => Sampler.Neighbours(_train.TextStarts!, 1).Order(0)[..rows];

    private MaskedGradients Gradients(BertForMaskedLM model, RowShares? shares) =>
        new(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer), _train, shares, new NeighbourContrast(_train, 0.2), 0.7);

    private static MaskedLanguageModeling Task(BertForMaskedLM model, double weight) =>
        new(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer)) { ContrastiveWeight = weight, ContrastiveTemperature = 0.2 };
}
