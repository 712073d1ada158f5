using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Tests.Datasets;
using Attune.Tests.Distributed;
using Attune.Tests.Training;
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

    private readonly TemporaryFolder _folder = new();
    private readonly TokenizedDataset _train, _held;

    public NeighbourContrastTests()
    {
        var file = Path.Combine(_folder.Path, "text.txt");
        File.WriteAllText(file, MadeText.File(MadeText.Documents(60)));
        (_train, _held) = CorpusRows.HoldOut(CorpusRows.Of(Corpus.Of(file), MadeText.Tokenizer, Length), 0.2, seed: 1);
    }

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
    [Fact]
    public void Add_BothLosses_HasTheGradientOfTheirSum()
    {
        using var model = Model();
        var rows = Sampler.Neighbours(_train.TextStarts!, 1).Order(0)[..12];
        model.Training = true;
        Add(model, rows, MicroBatches.Whole);
        foreach (var name in (string[])["bert.pooler.dense.weight", "cls.contrast.dense.weight", "bert.encoder.layer.1.attention.self.query.weight", "bert.embeddings.position_embeddings.weight"])
        {
            var (weight, random) = (model.Weights[name], new Random(5));
            using var gradient = weight.Gradient;
            var direction = Enumerable.Range(0, (int)weight.NumberOfElements).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
            var slope = gradient.flatten().data<float>().ToArray().Zip(direction, (a, b) => (double)a * b).Sum();
            const float step = 4e-3f;
            Assert.Equal(slope, (Moved(step) - Moved(-step)) / (2 * step), 0.02 * Math.Abs(slope) + 2e-4);

            double Moved(float by)
            {
                using var other = Model();
                other.Training = true;
                var values = other.Weights[name].Span;
                for (var i = 0; i < values.Length; i++) values[i] += by * direction[i];
                return Add(other, rows, MicroBatches.Whole);
            }
        }
    }

    [Fact]
    public void Add_BatchInPartsOrInSeveralProcesses_GivesTheSameGradients()
    {
        var rows = Sampler.Neighbours(_train.TextStarts!, 1).Order(0)[..13];
        var (whole, loss) = Gradients(null, MicroBatches.Whole);
        var (parts, lossOfParts) = Gradients(null, MicroBatches.AtMost(3));
        Assert.Equal(loss, lossOfParts, 1e-5);
        foreach (var (name, gradient) in whole) TensorAssert.CloseGradient(gradient, parts[name], name);
        var together = ThreadProcesses.Run(3, processes => Gradients(new RowShares(processes, _train, byTokens: false), MicroBatches.AtMost(2)));
        Assert.Equal(loss, together.Sum(one => one.Loss), 1e-5);
        foreach (var (name, gradient) in whole)
            TensorAssert.CloseGradient(gradient, [.. Enumerable.Range(0, gradient.Length).Select(i => together.Sum(one => one.Of[name][i]))], name);

        (Dictionary<string, float[]> Of, double Loss) Gradients(RowShares? shares, MicroBatches cuts)
        {
            using var model = Model();
            model.Training = true;
            var loss = Add(model, rows, cuts, shares);
            return (model.Weights.All.ToDictionary(weight => weight.Name, weight =>
            {
                using var gradient = weight.Gradient;
                return gradient.data<float>().ToArray();
            }), loss);
        }
    }

    [Fact]
    public void Train_TextsOfTheirOwn_LearnsWhichRowsBelongTogether()
    {
        using var model = Model();
        var trainer = Trainer(model, Arguments("learns") with { MaxSteps = 120, LearningRate = 5e-3, PerDeviceTrainBatchSize = 24 });
        var before = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        var after = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        Assert.True(after["eval_contrastive_loss"] < before["eval_contrastive_loss"], $"{after["eval_contrastive_loss"]} and before {before["eval_contrastive_loss"]}");
        Assert.True(after["eval_loss"] < before["eval_loss"] - 0.5);
        Assert.InRange(after["eval_contrastive_accuracy"], 0, 1);
    }

    [Fact]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit()
    {
        var whole = Run("whole", null, null);
        for (var step = 1; step < 5; step++)
        {
            Run($"stopped-{step}", step, null);
            Assert.Equal(whole, Run($"stopped-{step}", null, "true"));
        }

        float[] Run(string name, int? stopAfter, string? resume)
        {
            using var model = Model();
            using var stop = new CancellationTokenSource();
            var trainer = Trainer(model, Arguments(name) with { MaxSteps = 5 }, new Stopper(stop, stopAfter));
            Assert.Equal(stopAfter is not null, trainer.Train(resume, stop.Token).Interrupted);
            return model.Weights.Values.data<float>().ToArray();
        }
    }

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
        new Trainer(Task(on, weight: 0), Arguments("on") with { MaxSteps = 2, WeightDecay = 0.5 }, _train).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(model.Weights[name].Span, on.Weights[name].Span);
        Assert.NotEqual(model.Weights["bert.encoder.layer.0.output.dense.weight"].Span[0], on.Weights["bert.encoder.layer.0.output.dense.weight"].Span[0]);
    }

    [Fact]
    public void Create_WhatCannotBe_SaysSo()
    {
        using var model = Model();
        using var plain = BertForMaskedLM.FromConfig(Config);
        Assert.Contains("comparesRows", Refused(plain, Arguments("a"), _train), StringComparison.Ordinal);
        Assert.Contains("group_by_length", Refused(model, Arguments("b") with { GroupByLength = true }, _train), StringComparison.Ordinal);
        Assert.Contains("no document has two", Refused(model, Arguments("c"), new TokenizedDataset(_train.Rows)), StringComparison.Ordinal);
        Assert.Contains("contrastive_weight is -1", Assert.Throws<AttuneException>(() => new Trainer(Task(model, weight: -1), Arguments("d"), _train)).Message, StringComparison.Ordinal);

        static string Refused(BertForMaskedLM model, TrainingArguments args, TokenizedDataset train) =>
            Assert.Throws<AttuneException>(() => new Trainer(Task(model, weight: 1), args, train)).Message;
    }

    private static BertForMaskedLM Model()
    {
        var model = BertForMaskedLM.FromConfig(Config, seed: 1, dropout: 0, comparesRows: true);
        model.DropoutKey = (7, 3);
        return model;
    }

    private double Add(BertForMaskedLM model, int[] rows, MicroBatches cuts, RowShares? shares = null) =>
        new MaskedGradients(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer), _train, shares, new NeighbourContrast(_train, 0.2), 0.7).Add(rows, 4, 0.5, cuts).Value;

    private static MaskedLanguageModeling Task(BertForMaskedLM model, double weight) =>
        new(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer)) { ContrastiveWeight = weight, ContrastiveTemperature = 0.2 };

    private Trainer Trainer(BertForMaskedLM model, TrainingArguments args, TrainerCallback? callback = null) =>
        new(Task(model, weight: 1), args, _train, _held, callback is null ? [] : [callback]);

    private TrainingArguments Arguments(string name) => new()
    {
        OutputDir = Path.Combine(_folder.Path, name),
        PerDeviceTrainBatchSize = 8,
        PerDeviceEvalBatchSize = 16,
        LearningRate = 1e-3,
        ReportTo = [],
        SaveStrategy = SaveStrategy.No,
    };
}
