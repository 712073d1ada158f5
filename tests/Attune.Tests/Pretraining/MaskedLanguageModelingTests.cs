using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Pretraining;

/// <summary>Runs of the Trainer that find hidden tokens: they learn, go on to the bit, and do not depend on how batches are cut.</summary>
[Collection("torch")]
public sealed class MaskedLanguageModelingTests : IDisposable
{
    private const int Length = 24;

    private static readonly BertConfig Config = new()
    {
        VocabSize = MadeText.Tokenizer.VocabularySize,
        HiddenSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 48,
        MaxPositionEmbeddings = Length,
    };

    private readonly PretrainingFolder _folder = new(Length);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_RepeatedSentences_LearnsToFindTheirWords()
    {
        var (train, held) = _folder.Rows(120);
        using var model = BertForMaskedLM.FromConfig(Config, seed: 1, dropout: 0);
        var trainer = Trainer(model, Arguments("learns") with { NumTrainEpochs = 5, LearningRate = 5e-3, PerDeviceTrainBatchSize = 16, GradientAccumulationSteps = 1, WarmupSteps = 10 }, train, held);
        var before = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        trainer.Train(cancellation: TestContext.Current.CancellationToken);
        var after = trainer.Evaluate(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(Math.Log(Config.VocabSize), before["eval_loss"], 0.2);
        Assert.Equal(Math.Exp(after["eval_loss"]), after["eval_perplexity"], 1e-9);
        Assert.True(after["eval_loss"] < before["eval_loss"] - 1.5, $"the loss is {after["eval_loss"]} and was {before["eval_loss"]}");
        Assert.True(after["eval_accuracy"] > 0.25, $"only {after["eval_accuracy"]} of the hidden tokens are found");
        // The same tokens are hidden in each evaluation.
        Assert.Equal(after["eval_loss"], trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"]);
    }

    /// <summary>From the start a new model is as good as the frequencies of the tokens, which is better than knowing nothing.</summary>
    [Fact]
    public void SetFrequencies_NewModel_BeginsAtTheFrequencies()
    {
        var (train, _) = _folder.Rows(300);
        var collator = new DataCollatorForLanguageModeling(MadeText.Tokenizer);
        var counts = collator.Counts(train);
        Assert.Equal(train.Rows.Sum(row => row.Length - 2L), counts.Sum());
        using var model = BertForMaskedLM.FromConfig(Config, seed: 1);
        InitialWeights.SetFrequencies(model.LogitBias.Span, counts);
        var entropy = -counts.Where(count => count > 0).Sum(count => count / (double)counts.Sum() * Math.Log(count / (double)counts.Sum()));
        Assert.Equal(entropy, Trainer(model, Arguments("counts"), train, train).Evaluate(cancellation: TestContext.Current.CancellationToken)["eval_loss"], 0.15);
        Assert.True(entropy < Math.Log(Config.VocabSize) - 0.3);
    }

    [Theory, InlineData("by steps"), InlineData("averaged, by tokens")]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit(string kind)
    {
        var (whole, log) = Run(kind, "whole", stopAfter: null, resume: null);
        Assert.Equal(2, log.Count(line => line.StartsWith("eval", StringComparison.Ordinal)));
        for (var step = 1; step < 6; step++)
        {
            Run(kind, $"stopped-{step}", stopAfter: step, resume: null);
            var (resumed, logResumed) = Run(kind, $"stopped-{step}", stopAfter: null, resume: "true");
            Assert.True(whole.AsSpan().SequenceEqual(resumed), $"{kind}, stopped after {step}: the weights differ");
            Assert.Equal(log, logResumed);
        }
    }

    /// <summary>Parts of a batch, and batches of an update, hide the same tokens as the whole; the loss is the mean over the hidden tokens of the batch.</summary>
    [Fact]
    public void Add_BatchInParts_GivesTheSameGradients()
    {
        var (train, _) = _folder.Rows(60);
        int[] rows = [4, 1, 17, 9, 30, 2, 8];
        var (whole, loss) = Gradients(MicroBatches.Whole);
        var (parts, lossOfParts) = Gradients(MicroBatches.AtMost(2));
        Assert.Equal(loss, lossOfParts, 1e-5);
        foreach (var (name, gradient) in whole) TensorAssert.CloseGradient(gradient, parts[name], name);

        (Dictionary<string, float[]>, double) Gradients(MicroBatches cuts)
        {
            using var model = BertForMaskedLM.FromConfig(Config, seed: 1);
            (model.Training, model.DropoutKey) = (true, (7, 3));
            var loss = new MaskedGradients(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer), train).Add(rows, 5, 0.5, cuts);
            return (PretrainingFolder.Gradients(model), loss.Value);
        }
    }

    [Fact]
    public void Train_MemoryForFewRows_CutsBatchesWithTheSameResult()
    {
        var (train, held) = _folder.Rows(40);
        var notices = new List<string>();
        using var model = BertForMaskedLM.FromConfig(Config, seed: 1, dropout: 0);
        var task = new MaskedLanguageModeling(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer));
        var row = task.Measure(train.Rows.MaxBy(one => one.Length)!);
        Assert.True(row.Token > 0);
        var args = Arguments("cut") with { MaxSteps = 2, PerDeviceTrainBatchSize = 8, AutoFindBatchSize = true };
        new Trainer(task, args, train, held, notice: notices.Add) { FreeMemoryBytes = (long)(3.5 * row.Of(Length) / MicroBatches.Usable) }.Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Contains(notices, line => line.Contains("computed in parts", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_ALossThatIsNoNumber_IsSearchedFor()
    {
        var (train, held) = _folder.Rows(40);
        using var model = BertForMaskedLM.FromConfig(Config, seed: 1);
        model.Weights["bert.encoder.layer.1.output.dense.bias"].Span[0] = float.PositiveInfinity;
        var error = Assert.Throws<AttuneException>(() => Trainer(model, Arguments("debug") with { Debug = ["underflow_overflow"] }, train, held).Train(cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("bert.encoder.layer.1.output.dense.bias holds numbers that are not finite", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Unfit() => ["r_drop_alpha", "fgm_epsilon", "sampling", "cache_frozen", "label_smoothing_factor", "lora_r"];

    [Theory, MemberData(nameof(Unfit))]
    public void Create_ArgumentsForLabels_SaysThatThereAreNone(string argument)
    {
        var (train, held) = _folder.Rows(30);
        var args = argument switch
        {
            "r_drop_alpha" => Arguments("unfit") with { RDropAlpha = 1 },
            "fgm_epsilon" => Arguments("unfit") with { FgmEpsilon = 1 },
            "sampling" => Arguments("unfit") with { Sampling = SamplingKind.Balanced },
            "cache_frozen" => Arguments("unfit") with { CacheFrozen = true, Freeze = "layers:1" },
            "label_smoothing_factor" => Arguments("unfit") with { LabelSmoothingFactor = 0.1 },
            _ => Arguments("unfit") with { LoraR = 4 },
        };
        using var model = BertForMaskedLM.FromConfig(Config, seed: 1);
        Assert.Throws<AttuneException>(() => Trainer(model, args, train, held));
    }

    [Fact]
    public void Create_TokenizerOfAnotherModel_SaysSo()
    {
        var (train, held) = _folder.Rows(30);
        using var model = BertForMaskedLM.FromConfig(Config with { VocabSize = 50 }, seed: 1);
        Assert.Contains("a vocabulary of 50", Assert.Throws<AttuneException>(() => Trainer(model, Arguments("other"), train, held)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Config_DropoutOfTheRun_IsNotWritten()
    {
        using var model = BertForMaskedLM.FromConfig(Config, dropout: 0);
        model.SavePretrained(_folder.Path);
        Assert.Equal(0.1, BertConfig.Load(Path.Combine(_folder.Path, "config.json")).HiddenDropoutProb);
    }

    private (float[] Weights, List<string> Log) Run(string kind, string name, int? stopAfter, string? resume)
    {
        var (train, held) = _folder.Rows(18);
        using var model = BertForMaskedLM.FromConfig(Config, seed: 1);
        using var stop = new CancellationTokenSource();
        var args = Arguments(Path.Combine(kind, name)) with { MaxSteps = 6, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 3, LoggingSteps = 2 };
        if (kind != "by steps") args = args with { EmaDecay = 0.8, AutoFindBatchSize = true };
        var trainer = Trainer(model, args, train, held, wholeWords: kind == "by steps", callback: new Stopper(stop, stopAfter));
        var output = trainer.Train(resume, stop.Token);
        Assert.Equal(stopAfter is not null, output.Interrupted);
        return (model.Weights.Values.data<float>().ToArray(), [.. trainer.State.LogHistory.SelectMany(entry => entry.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            .Where(pair => !pair.Key.Contains("_runtime", StringComparison.Ordinal) && !pair.Key.Contains("_per_second", StringComparison.Ordinal) && pair.Key is "eval_loss" or "loss" or "grad_norm")
            .Select(pair => $"{pair.Key}={pair.Value:r}")]);
    }

    private static Trainer Trainer(
        BertForMaskedLM model, TrainingArguments args, TokenizedDataset train, TokenizedDataset held, bool wholeWords = true, TrainerCallback? callback = null) => new(
            new MaskedLanguageModeling(model, new DataCollatorForLanguageModeling(MadeText.Tokenizer, wholeWordMask: wholeWords)), args, train, held, callback is null ? [] : [callback]);

    private TrainingArguments Arguments(string name) => _folder.Arguments(name) with { PerDeviceTrainBatchSize = 4, GradientAccumulationSteps = 2, PerDeviceEvalBatchSize = 8 };
}
