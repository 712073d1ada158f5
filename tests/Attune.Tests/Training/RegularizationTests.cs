using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Tests.Training;

/// <summary>The losses and regularisers in whole runs: none is ignored, evaluation has the loss of training, and what may go wrong in an update still ends as it should.</summary>
[Collection("torch")]
public sealed class RegularizationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    private static readonly Dictionary<string, Func<TrainingArguments, TrainingArguments>> Changes = new()
    {
        ["class_weights"] = args => args with { ClassWeights = "a=3" },
        ["class_weights balanced"] = args => args with { ClassWeights = "balanced" },
        ["focal_gamma"] = args => args with { FocalGamma = 2 },
        ["neftune_noise_alpha"] = args => args with { NeftuneNoiseAlpha = 5 },
        ["r_drop_alpha"] = args => args with { RDropAlpha = 1 },
        ["fgm_epsilon"] = args => args with { FgmEpsilon = 0.5 },
        ["decay_to_pretrained"] = args => args with { DecayToPretrained = 1 },
        ["pos_weights"] = args => args with { PosWeights = "a=3" },
        ["focal_gamma, several"] = args => args with { FocalGamma = 2 },
        ["regression_loss mae"] = args => args with { RegressionLoss = RegressionLoss.Mae },
        ["regression_loss huber"] = args => args with { RegressionLoss = RegressionLoss.Huber },
        ["huber_delta"] = args => args with { RegressionLoss = RegressionLoss.Huber, HuberDelta = 0.1 },
    };

    public static TheoryData<string> Names() => [.. Changes.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Train_AnyArgument_ChangesWhatIsLearned(string name)
    {
        var labels = name.StartsWith("pos", StringComparison.Ordinal) || name.Contains("several", StringComparison.Ordinal) ? "several"
            : name.StartsWith("regression", StringComparison.Ordinal) || name.StartsWith("huber", StringComparison.Ordinal) ? "numbers" : "classes";
        Func<TrainingArguments, TrainingArguments> before = name == "huber_delta" ? Changes["regression_loss huber"] : args => args;
        Assert.NotEqual(Train(before, labels), Train(Changes[name], labels));
    }

    [Fact]
    public void Train_OwnLoss_LearnsWhatTheBuiltInOneDoes() =>
        TensorAssert.Close(Train(args => args), Train(args => args, own: CrossEntropy), 2e-5, "weights");

    /// <summary>The loss of docs/losses.md.</summary>
    [Fact]
    public void Train_OwnLossOfTorch_IsLearned()
    {
        static Tensor Margin(Tensor logits, Labels labels)
        {
            var classes = tensor(((ClassLabels)labels).Values);
            return nn.functional.multi_margin_loss(logits, classes);
        }

        Assert.NotEqual(Train(args => args), Train(args => args, own: Margin));
    }

    /// <summary>eval_loss with class weights is the weighted mean over all rows, in whatever batches they are evaluated.</summary>
    [Fact]
    public void Evaluate_ClassWeights_IsTorchsLossOverAllRows()
    {
        using var model = TinyRun.Model();
        var data = TinyRun.Data(11);
        var weights = new double[] { 3, 0, 0.5 };
        double Loss(int batchSize, TrainingArguments args)
        {
            var trainer = new Trainer(model, args with { OutputDir = _folder.Path, PerDeviceEvalBatchSize = batchSize }, evalDataset: data);
            return trainer.Evaluate(cancellation: Stop)["eval_loss"];
        }

        using var scope = NewDisposeScope();
        using var output = model.Forward(data.Batch([.. Enumerable.Range(0, 11)]));
        var logits = tensor(output.Logits, [11, 3]).to(ScalarType.Float64);
        var labels = tensor(((ClassLabels)data.Labels!).Values);
        var expected = nn.functional.cross_entropy(logits, labels, tensor(weights)).item<double>();
        var args = new TrainingArguments { ClassWeights = "a=3,b=0,c=0.5" };
        Assert.Equal(expected, Loss(11, args), 1e-6);
        Assert.Equal(expected, Loss(3, args), 1e-6);
        Assert.Equal(expected, Loss(1, args), 1e-6);
        Assert.NotEqual(expected, Loss(11, new TrainingArguments()), 1e-4);
    }

    /// <summary>A loss of one's own is evaluated too, without a gradient; what only regularises training is not.</summary>
    [Fact]
    public void Evaluate_OwnLossAndRegularisers_IsThatLossAlone()
    {
        using var model = TinyRun.Model();
        var data = TinyRun.Data(7);
        var args = new TrainingArguments { OutputDir = _folder.Path, RDropAlpha = 5, NeftuneNoiseAlpha = 9, PerDeviceEvalBatchSize = 3 };
        var plain = new Trainer(model, new TrainingArguments { OutputDir = _folder.Path }, evalDataset: data).Evaluate(cancellation: Stop)["eval_loss"];
        var own = new Trainer(model, args, evalDataset: data, computeLoss: (logits, labels) =>
        {
            Assert.False(logits.requires_grad);
            return CrossEntropy(logits, labels) * 2;
        }).Evaluate(cancellation: Stop)["eval_loss"];
        Assert.Equal(2 * plain, own, 1e-5);
    }

    [Theory, InlineData("r_drop_alpha"), InlineData("fgm_epsilon"), InlineData("class_weights"), InlineData("own")]
    public void Train_LossNotANumberFourTimes_StopsWithTheWeightsBefore(string name)
    {
        using var model = TinyRun.Model();
        var args = Arguments(name) with { LearningRate = 1e30, WarmupSteps = 0, GradientAccumulationSteps = 1 };
        var recorder = new RunRecorder(model);
        var trainer = new Trainer(model, args, TinyRun.Data(12), TinyRun.Data(4), callbacks: [recorder], notice: _notices.Add, computeLoss: name == "own" ? CrossEntropy : null);
        Assert.Contains("so it was 3 updates before", Assert.Throws<AttuneException>(() => trainer.Train(cancellation: Stop)).Message, StringComparison.Ordinal);
        Assert.Equal(3, _notices.Count(line => line.Contains("so it is skipped", StringComparison.Ordinal)));
    }

    /// <summary>Memory for half of the seven rows of a batch.</summary>
    [Theory, InlineData("r_drop_alpha", 2), InlineData("fgm_epsilon", 1), InlineData("own", 1)]
    public void Train_MemoryRunsOut_GoesOnInSmallerPartsWithTheSameResult(string name, int passes)
    {
        Func<Tensor, Labels, Tensor>? own = name == "own" ? CrossEntropy : null;
        TrainingArguments Large(TrainingArguments args) => Changes.GetValueOrDefault(name, same => same)(args) with { PerDeviceTrainBatchSize = 7 };
        var whole = Train(Large, own: own);
        using var model = TinyRun.Model();
        var enough = (long)(3.5 * MicroBatches.RowBytes.Measure(model, TinyRun.Data(11).Rows.MaxBy(row => row.Length)!).Times(passes).Of(11));
        using var meter = new MemoryMeter();
        var parts = Train(Large, own: own, callback: new Shortage(meter, enough));
        Assert.Contains(_notices, line => line.StartsWith("Memory ran out in update 1", StringComparison.Ordinal));
        Assert.NotEqual(whole, parts);
        TensorAssert.Close(whole, parts, 2e-5, "weights");
    }

    /// <summary>Two passes are in memory together, so half as many rows fit.</summary>
    [Fact]
    public void Train_AutoFindBatchSizeWithTwoPasses_ReckonsWithBoth()
    {
        using var model = TinyRun.Model();
        var row = MicroBatches.RowBytes.Measure(model, TinyRun.Data(24).Rows.MaxBy(one => one.Length)!);
        var args = Arguments("r_drop_alpha") with { PerDeviceTrainBatchSize = 7, AutoFindBatchSize = true, EvalStrategy = IntervalStrategy.No };
        new Trainer(model, args, TinyRun.Data(24), notice: _notices.Add) { FreeMemoryBytes = (long)(6.5 * row.Of(11) / MicroBatches.Usable) }.Train(cancellation: Stop);
        Assert.Contains(_notices, line => line.Contains("at most 3 of the longest rows at a time", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_FgmWithFrozenEmbeddings_IsRefused()
    {
        using var model = TinyRun.Model();
        var trainer = new Trainer(model, Arguments("fgm_epsilon") with { Freeze = "embeddings" }, TinyRun.Data(11), TinyRun.Data(4));
        Assert.Contains("they are frozen", Assert.Throws<AttuneException>(() => trainer.Train(cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_RDropWithoutDropout_SaysThatItHasNoEffect()
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 }, seed: 1);
        new Trainer(model, Arguments("r_drop_alpha"), TinyRun.Data(11), TinyRun.Data(4), notice: _notices.Add).Train(cancellation: Stop);
        Assert.Contains(_notices, line => line.StartsWith("r_drop_alpha has no effect", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_Noise_IsGoneFromTheModelAfterTheRun()
    {
        using var model = TinyRun.Model();
        new Trainer(model, Arguments("neftune_noise_alpha"), TinyRun.Data(11), TinyRun.Data(4)).Train(cancellation: Stop);
        Assert.Equal(0, model.NeftuneNoiseAlpha);
    }

    /// <summary>What is drawn anew and what does not decay stays; the rest goes back by rate x decay of the way that it went.</summary>
    [Fact]
    public void Pull_WeightsThatMoved_GoBackByRateTimesDecay()
    {
        using (var three = TinyRun.Model()) three.SavePretrained(_folder.Path);
        using var model = BertForSequenceClassification.FromPretrained(_folder.Path, labelNames: ["one", "two"]);
        var start = TinyRun.Weights(model);
        using var pull = new PretrainedPull(model, decay: 0.5);
        model.Weights.Values.add_(1);
        pull.Apply(learningRate: 0.2);
        var now = TinyRun.Weights(model);
        foreach (var weight in model.Weights.All)
        {
            var moved = weight.Decays && weight.Name != "classifier.weight" ? 0.9f : 1;
            for (var i = weight.Offset; i < weight.Offset + weight.NumberOfElements; i++) Assert.Equal(start[i] + moved, now[i], 1e-5f);
        }
    }

    /// <summary>Adapters begin at random numbers, and so do layers that are drawn anew: neither has anything to go back to.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void Pull_WhatWasDrawn_StaysWhereItIs(bool isAdapter)
    {
        using (var plain = TinyRun.Model()) plain.SavePretrained(_folder.Path);
        using var model = BertForSequenceClassification.FromPretrained(_folder.Path, lora: isAdapter ? new LoraConfig { ModulesToSave = ["pooler"] } : null);
        if (!isAdapter) FreshLayers.Draw(new TrainingArguments { ReinitLayers = 1 }, model, isResumed: true);
        var start = TinyRun.Weights(model);
        using var pull = new PretrainedPull(model, decay: 0.5);
        model.Weights.Values.add_(1);
        pull.Apply(learningRate: 0.2);
        var now = TinyRun.Weights(model);
        foreach (var weight in model.Weights.All.Where(weight => weight.Decays))
        {
            var isDrawn = weight.Name.Contains(".pooler.", StringComparison.Ordinal) || weight.Name.Contains(".layer.1.", StringComparison.Ordinal);
            var isPulled = isAdapter ? weight is { RequiresGrad: true, IsAdapter: false } : !isDrawn;
            Assert.Equal(start[weight.Offset] + (isPulled ? 0.9f : 1), now[weight.Offset], 1e-5f);
        }
    }

    [Fact]
    public void Pull_RatesOfTheirOwn_AreFollowed()
    {
        using var model = TinyRun.Model();
        var start = TinyRun.Weights(model);
        using var pull = new PretrainedPull(model, decay: 0.5, RateGroups.Of(new TrainingArguments { LearningRate = 0.2, LayerLrDecay = 0.5, HeadLearningRate = 0.8 }, model));
        model.Weights.Values.add_(1);
        pull.Apply(learningRate: 0.2);
        var now = TinyRun.Weights(model);
        Assert.Equal(0.6f, Moved("classifier.weight"), 1e-5f);
        Assert.Equal(0.9f, Moved("bert.pooler.dense.weight"), 1e-5f);
        Assert.Equal(0.95f, Moved("bert.encoder.layer.0.output.dense.weight"), 1e-5f);

        float Moved(string name) => now[model.Weights[name].Offset] - start[model.Weights[name].Offset];
    }

    [Fact]
    public void Validated_PullThatOvershootsOrPullsTwoSequences_IsRefused()
    {
        static string Refused(TrainingArguments args) => Assert.Throws<AttuneException>(() => args.Validated()).Message;
        Assert.Contains("and head_learning_rate 0.01;", Refused(new() { DecayToPretrained = 300, HeadLearningRate = 0.01 }), StringComparison.Ordinal);
        Assert.Contains("keeps two sequences", Refused(new() { DecayToPretrained = 1, Optim = OptimizerName.ScheduleFreeSgd }), StringComparison.Ordinal);
        new TrainingArguments { DecayToPretrained = 300, HeadLearningRate = 1e-3 }.Validated();
    }

    /// <summary>Rows of the embeddings whose updates are put off are pulled as those of an optimizer that puts none off.</summary>
    [Fact]
    public void Pull_RowsPutOff_GivesWhatTheDenseOptimizerGives()
    {
        Assert.Equal(Steps(defersRows: false), Steps(defersRows: true));

        static float[] Steps(bool defersRows)
        {
            using var model = TinyRun.Model();
            using var pull = new PretrainedPull(model, decay: 2);
            using var optimizer = new AdamW(model.Weights, 0.01, 0.9, 0.999, 1e-8, 0.1, defersRows);
            for (var step = 0; step < 5; step++)
            {
                (model.Training, model.DropoutKey) = (true, (1, step));
                using var output = model.Forward(TinyRun.Data(3, seed: step).Batch([0, 1, 2]));
                output.Backward();
                pull.Apply(optimizer.LearningRate);
                optimizer.Step();
                optimizer.ZeroGrad();
            }
            return TinyRun.Weights(model);
        }
    }

    [Fact]
    public void Train_ResumedFromOtherWeights_IsRefused()
    {
        TrainingArguments args = Arguments("decay_to_pretrained") with { SaveStrategy = SaveStrategy.Epoch, NumTrainEpochs = 1 };
        using var model = TinyRun.Model();
        new Trainer(model, args, TinyRun.Data(11), TinyRun.Data(4), notice: _notices.Add).Train(cancellation: Stop);
        Assert.Contains(_notices, line => line.StartsWith("decay_to_pretrained: the model's weights were not read", StringComparison.Ordinal));
        var again = new Trainer(model, args with { NumTrainEpochs = 2 }, TinyRun.Data(11), TinyRun.Data(4));
        Assert.Contains("load the model anew", Assert.Throws<AttuneException>(() => again.Train("true", Stop)).Message, StringComparison.Ordinal);
        using var anew = TinyRun.Model();
        Assert.Equal(6, new Trainer(anew, args with { NumTrainEpochs = 2 }, TinyRun.Data(11), TinyRun.Data(4)).Train("true", Stop).GlobalStep);
    }

    private static Tensor CrossEntropy(Tensor logits, Labels labels) => nn.functional.cross_entropy(logits, tensor(((ClassLabels)labels).Values));

    private TrainingArguments Arguments(string name) =>
        Changes.GetValueOrDefault(name, args => args)(TinyRun.Arguments(Path.Combine(_folder.Path, "out")) with { OverwriteOutputDir = true, SaveStrategy = SaveStrategy.No });

    private float[] Train(
        Func<TrainingArguments, TrainingArguments> change, string kind = "classes", Func<Tensor, Labels, Tensor>? own = null, TrainerCallback? callback = null)
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { LabelNames = kind == "numbers" ? ["x"] : ["a", "b", "c"] }, seed: 1);
        var rows = TinyRun.Data(11);
        Labels labels = kind switch
        {
            "several" => new MultiLabels([.. Enumerable.Range(0, 33).Select(i => i * 7 % 5 < 2 ? 1f : 0f)], 3),
            "numbers" => new RegressionTargets([.. Enumerable.Range(0, 11).Select(i => i % 5 / 4f)]),
            _ => rows.Labels!,
        };
        _ = model.Weights.RawGradients;                                    // they stay, whatever the memory
        var args = change(Arguments("")) with { EvalStrategy = IntervalStrategy.No };
        new Trainer(model, args, new TokenizedDataset(rows.Rows, labels), callbacks: callback is null ? [] : [callback], notice: _notices.Add, computeLoss: own).Train(cancellation: Stop);
        return TinyRun.Weights(model);
    }

    private sealed class Shortage(MemoryMeter meter, long bytes) : TrainerCallback
    {
        public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control) => meter.LimitBytes = meter.PeakBytes + bytes;
    }
}
