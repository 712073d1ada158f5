using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Training;

namespace Attune.Tests.Pretraining;

/// <summary>Tokens that a generator has replaced are to be found: the gradients of both, in parts and in several processes, and runs of it.</summary>
[Collection("torch")]
public sealed class ReplacedTokenDetectionTests : IDisposable
{
    private const int Length = 16;

    private static readonly ElectraConfig Config = new()
    {
        VocabSize = MadeText.Tokenizer.VocabularySize,
        HiddenSize = 32,
        EmbeddingSize = 24,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 48,
        MaxPositionEmbeddings = Length,
    };

    private readonly PretrainingFolder _folder = new(Length);
    private readonly TokenizedDataset _train, _held;

    public ReplacedTokenDetectionTests() => (_train, _held) = _folder.Rows(documents: 60, held: 0.2);

    public void Dispose() => _folder.Dispose();

    /// <summary>Of the model, of the generator, and of the embeddings that both read.</summary>
    [Theory, InlineData("electra.encoder.layer.1.attention.self.query.weight"), InlineData("discriminator_predictions.dense_prediction.weight"),
     InlineData("generator.encoder.layer.0.output.dense.weight"), InlineData("generator_predictions.dense.weight"), InlineData("electra.embeddings_project.weight")]
    public void Add_BothLosses_HasTheGradientOfTheirSum(string name) =>
        PretrainingFolder.AssertSlope(name, Model, model => Gradients((ElectraForPreTraining)model, null, weight: 3).Add([.. Enumerable.Range(3, 12)], 4, 0.5, MicroBatches.Whole).Value);

    [Fact]
    public void Add_BatchInPartsOrInSeveralProcesses_GivesTheSameGradients() =>
        PretrainingFolder.AssertPartsAndProcesses(Model, (model, shares) => Gradients(model, shares, weight: 50), _train, [4, 1, 17, 9, 30, 2, 8, 40, 12, 3, 6, 21, 5]);

    [Fact]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit() => _folder.AssertResumes(() => Task(Model()), _train);

    [Fact]
    public void Train_RepeatedSentences_LearnsToFindTheirWordsAndWhatIsWrong()
    {
        var (train, held) = _folder.Rows(200);
        using var model = Model();
        var trainer = new Trainer(Task(model), _folder.Arguments("learns") with { MaxSteps = 300, LearningRate = 5e-3, PerDeviceTrainBatchSize = 16, WarmupSteps = 10 }, train, held);
        var before = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        var after = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(Math.Log(Config.VocabSize), before["eval_generator_loss"], 0.2);
        Assert.Equal(Math.Log(2), before["eval_discriminator_loss"], 0.1);
        Assert.Equal(after["eval_generator_loss"] + 50 * after["eval_discriminator_loss"], after["eval_loss"], 1e-9);
        Assert.True(after["eval_generator_loss"] < before["eval_generator_loss"] - 1, $"the generator's loss is {after["eval_generator_loss"]}");
        Assert.True(after["eval_generator_accuracy"] > 0.25, $"the generator finds {after["eval_generator_accuracy"]}");
        // About a seventh of the tokens is hidden; whoever says of all that they are right has that much wrong.
        Assert.True(after["eval_discriminator_loss"] < 0.3, $"the model's loss is {after["eval_discriminator_loss"]}");
        Assert.True(after["eval_discriminator_accuracy"] > 0.9, $"the model is right in {after["eval_discriminator_accuracy"]}");
        // The same tokens are hidden and replaced in each evaluation.
        Assert.Equal(after["eval_loss"], trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"]);
    }

    /// <summary>Tokens are drawn by the generator's probabilities.</summary>
    [Fact]
    public void Draw_ManyNumbers_FollowsTheProbabilities()
    {
        using var model = Model();
        model.Training = false;
        model.GeneratorBias.Span[7] = 4;                                   // one token stands out
        var batch = Batch.Pack([_train.Rows[0]]);
        using var proposed = model.Generate(batch, new MaskedTokens([2], [5]));
        var odds = proposed.Logits.Select(logit => Math.Exp(logit)).ToArray();
        var share = odds[7] / odds.Sum();
        var drawn = Enumerable.Range(0, 2000).Count(i => proposed.Draw([(i + 0.5) / 2000])[0] == 7) / 2000.0;
        Assert.Equal(share, drawn, 0.001);
        Assert.Equal(0, proposed.Draw([0])[0]);
        Assert.Equal(Config.VocabSize - 1, proposed.Draw([1 - 1e-12])[0]);
    }

    [Fact]
    public void FromText_NewModel_BeginsAtTheFrequenciesAndLooksAtNeighbours()
    {
        using var model = ElectraForPreTraining.FromConfig(Config with { EmbeddingSize = 32 }, seed: 1, generatorLayers: 1);
        using var random = ElectraForPreTraining.FromConfig(Config with { EmbeddingSize = 32 }, seed: 1, generatorLayers: 1);
        InitialWeights.FromText(model, new(MadeText.Tokenizer), _train, seed: 1);
        foreach (var name in (string[])["generator_lm_head.bias", "electra.embeddings.word_embeddings.weight", "electra.embeddings.position_embeddings.weight",
            "electra.encoder.layer.0.attention.self.query.weight", "generator.encoder.layer.0.attention.self.key.weight"])
            Assert.False(model.Weights[name].Span.SequenceEqual(random.Weights[name].Span), name);
        Assert.True(model.Weights["generator.encoder.layer.0.attention.self.value.weight"].Span.SequenceEqual(random.Weights["generator.encoder.layer.0.attention.self.value.weight"].Span));
    }

    [Fact]
    public void Create_WhatCannotBe_SaysSo()
    {
        using var alone = ElectraForPreTraining.FromConfig(Config);
        Assert.Contains("no generator", Refused(Task(alone)), StringComparison.Ordinal);
        using var model = Model();
        Assert.Contains("discriminator_weight is 0", Refused(new ReplacedTokenDetection(model, new(MadeText.Tokenizer)) { DiscriminatorWeight = 0 }), StringComparison.Ordinal);

        string Refused(ReplacedTokenDetection task) => Assert.Throws<AttuneException>(() => new Trainer(task, _folder.Arguments("refused"), _train)).Message;
    }

    [Fact]
    public void Train_ALossThatIsNoNumber_IsSearchedFor()
    {
        using var model = Model();
        model.Weights["electra.encoder.layer.1.output.dense.bias"].Span[0] = float.PositiveInfinity;
        var trainer = new Trainer(Task(model), _folder.Arguments("debug") with { Debug = ["underflow_overflow"] }, _train);
        Assert.Contains("electra.encoder.layer.1.output.dense.bias holds numbers that are not finite",
            Assert.Throws<AttuneException>(() => trainer.Train(cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private static ElectraForPreTraining Model()
    {
        var model = ElectraForPreTraining.FromConfig(Config, seed: 1, dropout: 0, generatorLayers: 1);
        (model.Training, model.DropoutKey) = (true, (7, 3));
        return model;
    }

    private static ReplacedTokenDetection Task(ElectraForPreTraining model) => new(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer));

    private ReplacedTokenGradients Gradients(ElectraForPreTraining model, RowShares? shares, double weight) =>
        new(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer), _train, shares, weight);
}
