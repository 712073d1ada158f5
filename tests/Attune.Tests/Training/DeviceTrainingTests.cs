using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Tests.Training;

/// <summary>
/// Runs by the way that graphics cards take, on the processor: beside the same runs by the processor's own kernels. How they are resumed stands in <see cref="ResumeTests"/>, their updates
/// beside transformers' in <see cref="TrajectoryTests"/>.
/// </summary>
[Collection("torch")]
public sealed class DeviceTrainingTests : IDisposable
{
    // float32 with another order of summation over some updates of AdamW.
    private const double WeightTolerance = 1e-4;

    // Their gradient is zero by mathematics, and Adam makes steps of its rounding.
    private static readonly string[] KeyBiases = ["key.bias", "k_lin.bias", "attn.k.bias"];

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds() => ["plain", "head rate, frozen embeddings", "multi-label, by value", "r-drop, class weights", "own loss", "smoothing, no clipping, reinit", "adapter",
        "fgm", "fgm, computed again", "lion", "adafactor", "schedule-free", "ema", "swa", "pull", "auto_find_batch_size"];

    [Theory, MemberData(nameof(Kinds))]
    public void Train_DropoutOff_GivesTheRunOfTheProcessor(string kind)
    {
        var (own, ownLogs) = Run(kind, isOnDevice: false);
        var (other, otherLogs) = Run(kind, isOnDevice: true);
        using (own)
        using (other)
            foreach (var weight in own.Weights.All)
            {
                if (KeyBiases.Any(weight.Name.EndsWith)) continue;
                TensorAssert.Close(weight.Span, other.Weights[weight.Name].Span, WeightTolerance, $"{kind}, {weight.Name}");
            }
        Assert.Equal(ownLogs.Count, otherLogs.Count);
        foreach (var (expected, actual) in ownLogs.Zip(otherLogs)) Assert.Equal(expected, actual, 2e-4);
    }

    /// <summary>Those that do not compute as BERT does.</summary>
    public static MatrixTheoryData<string, bool> OtherFamilies() => new(["mpnet", "deberta-v2", "modernbert"], [false, true]);

    [Theory, MemberData(nameof(OtherFamilies))]
    public void Train_OtherFamily_GivesTheRunOfTheProcessor(string family, bool hasAdapter)
    {
        using var own = Trained(isOnDevice: false);
        using var other = Trained(isOnDevice: true);
        // DeBERTa's keys meet positions too, so that their biases count.
        foreach (var weight in own.Weights.All.Where(weight => family == "deberta-v2" || !KeyBiases.Any(weight.Name.EndsWith)))
            TensorAssert.Close(weight.Span, other.Weights[weight.Name].Span, WeightTolerance, $"{family}, {weight.Name}");

        SequenceClassificationModel Trained(bool isOnDevice)
        {
            var model = Model(family, hasAdapter ? new LoraConfig { TargetModules = [LoraConfig.AllLinear] } : null);
            if (isOnDevice) model.ComputeOn(CPU);
            Train(model, Arguments($"{family}, {hasAdapter}, {isOnDevice}") with { EvalStrategy = IntervalStrategy.No, SaveStrategy = SaveStrategy.No });
            return model;
        }
    }

    [Fact]
    public void Train_BegunOnTheProcessor_GoesOnOnADevice()
    {
        using var whole = Model();
        Train(whole, Arguments("whole"));
        using var begun = Model();
        Train(begun, Arguments("parts") with { MaxSteps = 3, LrSchedulerType = Attune.Optimization.SchedulerType.Constant });
        using var ended = Model();
        ended.ComputeOn(CPU);
        Train(ended, Arguments("parts") with { LrSchedulerType = Attune.Optimization.SchedulerType.Constant }, resume: "true");
        using var constant = Model();
        Train(constant, Arguments("constant") with { LrSchedulerType = Attune.Optimization.SchedulerType.Constant });
        foreach (var weight in constant.Weights.All.Where(weight => !KeyBiases.Any(weight.Name.EndsWith)))
            TensorAssert.Close(weight.Span, ended.Weights[weight.Name].Span, WeightTolerance, weight.Name);
    }

    /// <summary>What a batch is cut into changes nothing but rounding, and gradients of parts add up in float32 whatever type products are in.</summary>
    [Theory, InlineData(Precision.Float32, 1e-5), InlineData(Precision.BFloat16, 1e-2)]
    public void Gradients_OfParts_AddUp(Precision precision, double tolerance)
    {
        using var model = Model();
        model.ComputeOn(CPU);
        (model.Precision, model.Training) = (precision, true);
        var data = TinyRun.Data(8);
        float[] Gradient(int parts)
        {
            model.Weights.ClearGradients();
            foreach (var rows in Enumerable.Range(0, 8).Chunk(8 / parts))
            {
                using var output = model.Forward(data.Batch(rows));
                output.Backward(1.0 / parts);
            }
            return model.Weights.Gradients.data<float>().ToArray();
        }
        var whole = Gradient(1);
        TensorAssert.Close(whole, Gradient(4), tolerance * whole.Max(Math.Abs), "gradient");
        TensorAssert.Close(whole, Gradient(1), 0, "gradient, once more");
    }

    /// <summary>Families whose layers differ by more than names.</summary>
    public static MatrixTheoryData<string, Precision> FamiliesInFewerBits() => new(["bert", "albert", "mpnet", "deberta-v2", "modernbert"], [Precision.BFloat16, Precision.Float16]);

    [Theory, MemberData(nameof(FamiliesInFewerBits))]
    public void Logits_InFewerBits_AreNearThoseOfFloat32(string family, Precision precision)
    {
        using var model = Model(family);
        var batch = TinyRun.Data(8).Batch([.. Enumerable.Range(0, 8)]);
        using var exact = model.Forward(batch);
        model.ComputeOn(CPU);
        model.Precision = precision;
        using var rounded = model.Forward(batch);
        TensorAssert.Close(exact.Logits, rounded.Logits, 2e-2, $"{precision}");
        Assert.NotEqual(exact.Logits, rounded.Logits);
    }

    [Fact]
    public void Weights_ChangedOnEitherSide_AreTheSameOnBoth()
    {
        using var model = Model();
        var batch = TinyRun.Data(4).Batch([0, 1, 2, 3]);
        model.ComputeOn(CPU);
        using var before = model.Forward(batch);
        model.Weights["classifier.bias"].Span[0] += 1;
        using var after = model.Forward(batch);
        Assert.Equal(before.Logits[0] + 1, after.Logits[0], 1e-6);
        model.Training = true;
        using (var output = model.Forward(batch)) output.Backward();
        var value = model.Weights["classifier.bias"].Span.ToArray();
        using var optimizer = new Attune.Optimization.FusedAdamW(model.Weights, 0.5, 0.9, 0.999, 1e-8, 0);
        optimizer.Step();
        Assert.All(value.Zip(model.Weights["classifier.bias"].Span.ToArray()), pair => Assert.Equal(0.5, Math.Abs(pair.First - pair.Second), 1e-3));
    }

    /// <summary>The device decides by itself whether it makes an update; that one was skipped is seen one update later, or when somebody asks, and all is as on the processor.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Train_LossIsNoNumber_IsSkippedAsOnTheProcessor(bool isOnDevice)
    {
        using var model = Model();
        if (isOnDevice) model.ComputeOn(CPU);
        var (notices, breaker) = (new List<string>(), new Breaker(model));
        var rows = TinyRun.Data(11);
        var trainer = new Trainer(model, Arguments($"skipped, {isOnDevice}") with { LoggingSteps = 4, MaxSteps = 8, EvalStrategy = IntervalStrategy.No }, rows, callbacks: [breaker], notice: notices.Add);
        trainer.Train(cancellation: Stop);
        Assert.Equal([3L, 4L], notices.Where(line => line.Contains("so it is skipped", StringComparison.Ordinal)).Select(line => (long)(line[line.IndexOf("update ", StringComparison.Ordinal) + 7] - '0')));
        Assert.Equal(8, trainer.State.GlobalStep);
        Assert.Equal([true, true, false, false, true, true, true, true], breaker.Losses.Select(double.IsFinite));
        Assert.All(model.Weights.Values.data<float>().ToArray(), value => Assert.True(float.IsFinite(value)));
        foreach (var entry in trainer.State.LogHistory.Where(entry => entry.ContainsKey("loss"))) Assert.InRange(entry["loss"], 0.1, 10);
        Assert.Equal(6, CheckpointFiles.Newest(Path.Combine(_folder.Path, $"skipped, {isOnDevice}")) is { } folder ? Steps(folder) : 0);
    }

    [Fact]
    public void Train_LossStaysNoNumber_StopsWithTheWeightsBefore()
    {
        using var model = Model();
        model.ComputeOn(CPU);
        model.Weights["classifier.bias"].Span[0] = float.PositiveInfinity;
        var rows = TinyRun.Data(11);
        var args = Arguments("stopped") with { EvalStrategy = IntervalStrategy.No, SaveStrategy = SaveStrategy.No };
        var error = Assert.Throws<AttuneException>(() => new Trainer(model, args, rows).Train(cancellation: Stop));
        Assert.Contains("of update 4 is not a finite number", error.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("single"), InlineData("multi"), InlineData("mse"), InlineData("mae"), InlineData("huber"), InlineData("numbers")]
    public void LossOnDevice_EachKind_IsThatOfTheProcessor(string kind)
    {
        var random = new Random(3);
        var columns = kind == "numbers" ? 1 : 3;
        var logits = Enumerable.Range(0, 4 * columns).Select(_ => (float)(random.NextDouble() * 4 - 2)).ToArray();
        float[] Numbers(double most) => [.. logits.Select(_ => (float)(random.NextDouble() * most))];
        var (labels, problem, options) = kind switch
        {
            "single" => ((Labels)new ClassLabels([0, 2, ClassLabels.Ignored, 1]), ProblemType.SingleLabelClassification, new LossOptions { LabelSmoothing = 0.2, ClassWeights = [1, 2, 0.5] }),
            "multi" => (new MultiLabels(Numbers(1), 3), ProblemType.MultiLabelClassification, new LossOptions { PositiveWeights = [1, 2, 0.5] }),
            "numbers" => (new ClassLabels([1, 2, 0, 3]), ProblemType.Regression, LossOptions.Default),
            _ => (new RegressionTargets(Numbers(5), 3), ProblemType.Regression, new LossOptions { RegressionLoss = Enum.Parse<RegressionLoss>(kind, ignoreCase: true), HuberDelta = 0.7 }),
        };
        var slope = new float[logits.Length];
        var total = ClassificationLoss.Weight(labels, problem, options);
        var expected = ClassificationLoss.Compute(logits, columns, labels, problem, options, total, slope);
        using var leaf = tensor(logits, [4, columns], requires_grad: true);
        using var loss = DeviceLoss.Of(leaf, labels, problem, options, total);
        Assert.Equal(expected, loss.item<float>(), 1e-6 * Math.Max(1, expected));
        loss.backward();
        using var gradient = leaf.grad!;
        TensorAssert.Close(slope, gradient.data<float>().ToArray(), 1e-6, kind);
    }

    [Fact]
    public void LossOnDevice_LabelOutsideTheClasses_IsRefused()
    {
        using var leaf = zeros(1, 3);
        Assert.Contains("Label 3 is outside the 3 classes", Assert.Throws<AttuneException>(() =>
            DeviceLoss.Of(leaf, new ClassLabels([3]), ProblemType.SingleLabelClassification, LossOptions.Default, 1)).Message, StringComparison.Ordinal);
    }

    /// <summary>A weight that is no number while updates 3 and 4 are made.</summary>
    private sealed class Breaker(BertForSequenceClassification model) : TrainerCallback
    {
        private float _kept;

        internal List<double> Losses { get; } = [];

        public override void OnStepBegin(TrainingArguments args, TrainerState state, TrainerControl control)
        {
            var value = model.Weights["bert.pooler.dense.bias"].Span;
            if (state.GlobalStep == 2) (_kept, value[0]) = (value[0], float.NaN);
            if (state.GlobalStep == 4) value[0] = _kept;
        }

        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step) => Losses.Add(step.Loss);
    }

    private static long Steps(string checkpoint)
    {
        using var file = Attune.Formats.SafeTensors.Open(Path.Combine(checkpoint, CheckpointFiles.Optimizer));
        return long.Parse(file.Metadata["step_count"]);
    }

    /// <summary>Keeping what a frozen part gives spares the processor time, and a card none.</summary>
    [Fact]
    public void Train_CacheFrozen_IsSaidToHaveNoEffect()
    {
        var args = Arguments("plain") with { Freeze = "layers:1" };
        using var plain = Model();
        plain.ComputeOn(CPU);
        Train(plain, args);
        using var model = Model();
        model.ComputeOn(CPU);
        var (notices, rows) = (new List<string>(), TinyRun.Data(11));
        new Trainer(model, args with { CacheFrozen = true, OverwriteOutputDir = true }, rows, rows, notice: notices.Add).Train(cancellation: Stop);
        Assert.Contains("cache_frozen has no effect on a graphics card, which computes the frozen part faster than its output is read.", notices);
        Assert.Equal(TinyRun.Weights(plain), TinyRun.Weights(model));
    }

    private static readonly BertConfig Config = TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, InitializerRange = 0.2 };

    private static SequenceClassificationModel Model(string family, LoraConfig? lora = null) => AutoModelForSequenceClassification.FromConfig(Models.Families.Tiny(family) with
    {
        VocabSize = TinyRun.Config.VocabSize,
        HiddenDropoutProb = 0,
        AttentionProbsDropoutProb = 0,
        ClassifierDropout = 0,
        InitializerRange = 0.2,
    }, seed: 1, lora: lora);

    private static BertForSequenceClassification Model() => BertForSequenceClassification.FromConfig(Config, seed: 1);

    private TrainingArguments Arguments(string name) => TinyRun.Arguments(Path.Combine(_folder.Path, name)) with { SaveStrategy = SaveStrategy.Epoch, LoggingSteps = 1 };

    private (BertForSequenceClassification Model, List<double> Losses) Run(string kind, bool isOnDevice)
    {
        var adapter = new LoraConfig { R = 3, LoraAlpha = 9, TargetModules = ["query", "value", "output.dense", "classifier"], Bias = LoraBias.LoraOnly, ModulesToSave = ["pooler", "word_embeddings"] };
        var model = kind == "adapter" ? BertForSequenceClassification.FromConfig(Config, seed: 1, adapter) : Model();
        if (isOnDevice) model.ComputeOn(CPU);
        var args = Arguments($"{kind}, {isOnDevice}");
        args = kind switch
        {
            "head rate, frozen embeddings" => args with { HeadLearningRate = 5e-3, LayerLrDecay = 0.7, Freeze = "embeddings", WeightDecay = 0.1 },
            "multi-label, by value" => args with { ClipGradValue = 0.01 },
            "r-drop, class weights" => args with { RDropAlpha = 1, ClassWeights = "a=2,c=0.5" },
            "fgm" => args with { FgmEpsilon = 0.5 },
            "fgm, computed again" => args with { FgmEpsilon = 0.5, GradientCheckpointing = true, LabelSmoothingFactor = 0.1, FocalGamma = 1 },
            "lion" => args with { Optim = OptimizerName.Lion, LearningRate = 1e-4, WeightDecay = 0.1 },
            "adafactor" => args with { Optim = OptimizerName.Adafactor },
            "schedule-free" => args with { Optim = OptimizerName.ScheduleFreeAdamw, WarmupSteps = 2 },
            "ema" => args with { EmaDecay = 0.8 },
            "swa" => args with { SwaStart = 0.25 },
            "pull" => args with { DecayToPretrained = 5 },
            "auto_find_batch_size" => args with { AutoFindBatchSize = true },
            "smoothing, no clipping, reinit" => args with { LabelSmoothingFactor = 0.1, MaxGradNorm = 0, ReinitLayers = 1 },
            _ => args,
        };
        var data = TinyRun.Data(11);
        if (kind.StartsWith("multi-label", StringComparison.Ordinal)) data = new TokenizedDataset(data.Rows, new MultiLabels([.. Enumerable.Range(0, 33).Select(i => (float)(i * 7 % 2))], 3));
        var trainer = Train(model, args, data: data, loss: kind == "own loss" ? (logits, labels) => logits.exp().mean() : null);
        return (model, [.. trainer.State.LogHistory.SelectMany(entry => entry.Where(pair => pair.Key is "loss" or "eval_loss" or "grad_norm").Select(pair => pair.Value))]);
    }

    private static Trainer Train(
        SequenceClassificationModel model, TrainingArguments args, string? resume = null, TokenizedDataset? data = null, Func<Tensor, Labels, Tensor>? loss = null)
    {
        var rows = data ?? TinyRun.Data(11);
        var trainer = new Trainer(model, args, rows, rows, computeLoss: loss);
        trainer.Train(resume, Stop);
        return trainer;
    }
}
