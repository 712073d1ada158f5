using Attune.Batching;
using Attune.Checkpoints;
using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Tests.Datasets;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Distributed;

/// <summary>Several processes train what one trains with their batches together: the same losses, metrics and weights to rounding.</summary>
[Collection("torch")]
public sealed class DataParallelTests : IDisposable
{
    // float32 with another order of summation, grown over the updates of a run.
    private const double Tolerance = 1e-4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Processes, rows of a batch over all of them, batches of an update, and what else is on. 23 rows: every epoch ends with a smaller batch.</summary>
    public static TheoryData<int, int, int, string> Runs()
    {
        var runs = new TheoryData<int, int, int, string>();
        foreach (var (processes, batch) in ((int, int)[])[(2, 4), (3, 6), (4, 8), (2, 2), (4, 4)])
        {
            runs.Add(processes, batch, 1, "");
            runs.Add(processes, batch, 3, "");
        }
        foreach (var kind in (string[])["no dropout", "weights, focal, smoothing", "r-drop, noise", "fgm", "grouped by length", "own loss", "ema", "soup", "schedule-free", "tuned",
            "lora", "value clipping", "no clipping", "zero", "zero, ademamix", "zero, by layer", "zero, tuned", "by tokens", "by tokens, grouped"])
            runs.Add(3, 6, 2, kind);
        return runs;
    }

    [Theory, MemberData(nameof(Runs))]
    public void Train_SeveralProcesses_EqualsOneWithTheirBatches(int count, int batch, int accumulation, string kind)
    {
        var alone = Run(Communicator.Single, batch, accumulation, kind, "alone");
        var together = ThreadProcesses.Run(count, processes => Run(processes, batch / count, accumulation, kind, "together"));
        foreach (var one in together)
        {
            Assert.Equal(together[0].Weights, one.Weights);
            AssertClose(alone, one, $"{count} processes, batches of {batch}, {kind}");
        }
    }

    /// <summary>Layers that are large enough to go over while backward goes on; a last batch of two rows leaves a process without any.</summary>
    [Theory, InlineData(2, 2, ""), InlineData(3, 1, ""), InlineData(3, 2, "zero"), InlineData(2, 1, "r-drop, noise"), InlineData(3, 1, "fgm"), InlineData(2, 1, "own loss"), InlineData(3, 1, "tuned")]
    public void Train_LargeLayers_EqualsOneProcess(int count, int accumulation, string kind)
    {
        var config = TinyRun.Config with { HiddenSize = 128, IntermediateSize = 256, NumHiddenLayers = 3 };
        var alone = Run(Communicator.Single, 7 * count, accumulation, kind, "alone", config: config);
        foreach (var one in ThreadProcesses.Run(count, processes => Run(processes, 7, accumulation, kind, "together", config: config))) AssertClose(alone, one, $"{count} processes, {kind}");
    }

    /// <summary>The same on devices, whose passes are cut between the layers so that gradients can go meanwhile.</summary>
    [Theory, InlineData(2, 2, "no dropout"), InlineData(3, 1, "no dropout"), InlineData(2, 1, "no dropout, checkpointing"), InlineData(3, 1, "no dropout, tuned")]
    public void Train_LargeLayersOnDevices_EqualsOneDevice(int count, int accumulation, string kind)
    {
        var config = TinyRun.Config with { HiddenSize = 128, IntermediateSize = 256, NumHiddenLayers = 3, HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 };
        var alone = Run(Communicator.Single, 7 * count, accumulation, kind, "alone", config: config, isOnDevice: true);
        foreach (var one in ThreadProcesses.Run(count, processes => Run(processes, 7, accumulation, kind, "together", config: config, isOnDevice: true))) AssertClose(alone, one, $"{count} devices, {kind}");
    }

    /// <summary>Devices train what one does, and what the processor does. A last batch of two rows leaves a process without any.</summary>
    [Theory, InlineData(2, 1, "no dropout"), InlineData(3, 2, "no dropout"), InlineData(3, 1, "no dropout, value clipping"), InlineData(2, 2, "no dropout, ema"), InlineData(2, 1, "no dropout, r-drop"),
        InlineData(2, 1, "no dropout, focal"), InlineData(3, 1, "no dropout, own loss"), InlineData(2, 1, "no dropout, tuned"), InlineData(2, 1, "no dropout, sgd"), InlineData(3, 2, "no dropout, zero"), InlineData(2, 1, "no dropout, zero, tuned, no clipping"),
        InlineData(3, 1, "no dropout, zero, ademamix"), InlineData(3, 2, "no dropout, by tokens")]
    public void Train_OnDevices_EqualsOneProcessor(int count, int accumulation, string kind)
    {
        var alone = Run(Communicator.Single, 7 * count, accumulation, kind, "alone");
        var together = ThreadProcesses.Run(count, processes => Run(processes, 7, accumulation, kind, "together", isOnDevice: true));
        foreach (var one in together)
        {
            Assert.Equal(together[0].Weights, one.Weights);
            AssertClose(alone, one, $"{count} devices, {kind}");
        }
    }

    [Fact]
    public void Train_OneProcessWithoutADevice_IsComputedByTheProcessors()
    {
        var alone = Run(Communicator.Single, 6, 1, "no dropout", "alone");
        var together = ThreadProcesses.Run(3, processes => Run(processes, 2, 1, "no dropout", "together", isOnDevice: processes.Rank != 1));
        foreach (var one in together) AssertClose(alone, one, "processors");
        const string notice = "The processor computes, and not cpu: rank 1 has no card that it can compute with.";
        Assert.Equal([true, false, true], together.Select(one => one.Notices.Contains(notice)));
    }

    /// <summary>The memory of one process ends in backward, when gradients were about to go: it computes its rows again in parts, and sends nothing of the first half of them too early.</summary>
    [Fact]
    public void Train_MemoryOfOneProcessRunsOut_SendsWholeGradients()
    {
        const int rows = 8, tokens = 12;
        var config = TinyRun.Config with { HiddenSize = 128, IntermediateSize = 256, NumHiddenLayers = 3 };
        var random = new Random(4);
        var data = new TokenizedDataset(
            [.. Enumerable.Range(0, 4 * rows).Select(_ => new TokenizedRow([.. Enumerable.Range(0, tokens).Select(_ => random.Next(5, 40))]))],
            new ClassLabels([.. Enumerable.Range(0, 4 * rows).Select(row => row % 3L)]));
        var enough = BetweenForwardAndBackward();
        var (whole, _) = Run(memory: null)[0];
        foreach (var (one, notices) in Run(enough))
        {
            AssertClose(whole, one, "in parts");
            Assert.Equal(one.Losses.Count, whole.Losses.Count);
        }
        Assert.Equal([0, 1], Run(enough).Select(one => one.Notices.Count(line => line.StartsWith("Memory ran out in update 1: from here on at most 4 rows", StringComparison.Ordinal))));

        (Outcome Outcome, List<string> Notices)[] Run(long? memory) => ThreadProcesses.Run(2, processes =>
        {
            using var meter = memory is not null && processes.Rank == 1 ? new MemoryMeter() : null;
            using var model = BertForSequenceClassification.FromConfig(config, seed: 1);
            using var stop = new CancellationTokenSource();
            var (watcher, notices) = (new Watcher(model, null, stop, spoils: null), new List<string>());
            List<TrainerCallback> callbacks = [watcher, .. meter is null ? Array.Empty<TrainerCallback>() : [new Shortage(meter, memory!.Value)]];
            _ = model.Weights.RawGradients;                                // they stay, whatever the memory
            var trainer = new Trainer(model, Arguments("", "short", rows, 1) with { EvalStrategy = IntervalStrategy.No }, data, callbacks: callbacks, notice: notices.Add) { Processes = processes };
            trainer.Train();
            return (new Outcome(watcher.Losses, TinyRun.Weights(model), trainer.State), notices);
        });

        // Backward begins with all that forward has kept, and takes more at once.
        long BetweenForwardAndBackward()
        {
            using var model = BertForSequenceClassification.FromConfig(config, seed: 1);
            model.Training = true;
            _ = model.Weights.RawGradients;
            using var meter = new MemoryMeter();
            using var output = model.Forward(data.Batch([.. Enumerable.Range(0, rows)], 0));
            var forward = meter.PeakBytes;
            output.Backward();
            Assert.True(meter.PeakBytes > forward + 4096, "backward takes no more than forward");
            return (forward + meter.PeakBytes) / 2;
        }
    }

    /// <summary>Devices share the optimizer's state out as processors do, and its checkpoints are the same files.</summary>
    [Fact]
    public void Train_ZeroOnDevicesResumed_ContinuesToTheBit()
    {
        const string kind = "no dropout, zero";
        var whole = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "whole", isOnDevice: true));
        _ = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "stopped", stopAfter: 3, isOnDevice: true));
        foreach (var one in ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "stopped", resume: "true", isOnDevice: true))) Assert.Equal(whole[0].Weights, one.Weights);
    }

    [Fact]
    public void Train_ResumedInTheMiddle_ContinuesToTheBit()
    {
        foreach (var kind in (string[])["ema", "zero", "by tokens", "float16"])
        {
            var whole = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "whole" + kind));
            for (var step = 1; step < Math.Min(8, whole[0].State.GlobalStep); step++)
            {
                var name = $"stopped-{step}{kind}";
                // Only one of them is told to stop, and each time another one.
                var stopped = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, name, stopAfter: processes.Rank == step % 3 ? step : null));
                Assert.All(stopped, one => Assert.Equal(step, one.State.GlobalStep));
                var resumed = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, name, resume: "true"));
                foreach (var one in resumed) Assert.True(whole[0].Weights.AsSpan().SequenceEqual(one.Weights), $"{kind}, stopped after {step}");
            }
        }
    }

    [Theory, InlineData("", 2), InlineData("zero", 4), InlineData("zero", 1), InlineData("by tokens", 2), InlineData("by tokens", 1)]
    public void Train_ResumedByAnotherNumberOfProcesses_GoesOnAtTheSameRow(string kind, int others)
    {
        var whole = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "whole"));
        _ = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "stopped", stopAfter: 3));
        var resumed = others == 1 ? [Run(Communicator.Single, 6, 2, kind, "stopped", resume: "true")]
            : ThreadProcesses.Run(others, processes => Run(processes, 4, 2, kind, "stopped", resume: "true"));
        AssertClose(whole[0], resumed[0], $"{kind}, by {others}");
        Assert.Equal(kind == "by tokens" ? null : others == 1 ? 6 : (6 + others - 1) / others, resumed[0].State.TrainBatchSize);
    }

    /// <summary>A checkpoint without Attune's own files is one of transformers, whose optimizer no process can take a part of: that is an error and no notice.</summary>
    [Fact]
    public void Train_ResumedFromTransformersWithSharedState_IsRefused()
    {
        _ = ThreadProcesses.Run(2, processes => Run(processes, 3, 2, "", "stopped", stopAfter: 2));
        var checkpoint = CheckpointFiles.Newest(Path.Combine(_folder.Path, "stopped"))!;
        foreach (var file in (string[])[CheckpointFiles.ResumeState, CheckpointFiles.Manifest, CheckpointFiles.Optimizer]) File.Delete(Path.Combine(checkpoint, file));
        var error = Assert.Throws<AggregateException>(() => ThreadProcesses.Run(2, processes => Run(processes, 3, 2, "zero", "stopped", resume: checkpoint)));
        Assert.All(error.InnerExceptions, one => Assert.Contains("was written by transformers, whose optimizer cannot be shared out; leave out zero_stage", one.Message, StringComparison.Ordinal));
    }

    /// <summary>
    /// The weights held still, so that no rounding grows: each loss and each length of a gradient is one process's to 1e-6, which is what float64 would have to show of a run. It shows
    /// that every row counts once and with its own dropout; sums over processes are of float32 in any case.
    /// </summary>
    [Theory, InlineData(1, 1, "still"), InlineData(2, 1, "still"), InlineData(3, 3, "still"), InlineData(4, 3, "still"), InlineData(3, 1, "still, zero"), InlineData(4, 2, "still, zero")]
    public void Train_WeightsHeldStill_GivesTheSameLossesToSixDigits(int count, int accumulation, string kind)
    {
        const double rounding = 1e-6;
        var alone = Run(Communicator.Single, 12, accumulation, kind, "alone");
        foreach (var one in ThreadProcesses.Run(count, processes => Run(processes, 12 / count, accumulation, kind, "together")))
        {
            Assert.Equal(100, one.Losses.Count);
            foreach (var (expected, actual) in alone.Losses.Zip(one.Losses)) Assert.Equal(expected, actual, rounding * expected);
            foreach (var (expected, actual) in alone.Norms.Zip(one.Norms)) Assert.Equal(expected, actual, rounding * expected);
        }
    }

    /// <summary>float16 with its loss scale, which falls and grows by turns: the same updates are skipped, and the losses are those of one process as near as the type allows.</summary>
    [Theory, InlineData(2, "float16"), InlineData(3, "float16"), InlineData(3, "float16, zero")]
    public void Train_Float16_SkipsWhatOneProcessSkips(int count, string kind)
    {
        const double ofFloat16 = 2e-3;
        var alone = Run(Communicator.Single, 6, 2, kind, "alone");
        Assert.Contains(alone.Notices, line => line.Contains("fp16 falls to", StringComparison.Ordinal));
        Assert.Contains(alone.Notices, line => line.Contains("fp16 grows to", StringComparison.Ordinal));
        foreach (var one in ThreadProcesses.Run(count, processes => Run(processes, 6 / count, 2, kind, "together")))
        {
            Assert.Equal(alone.Notices.Where(IsOfScale), one.Notices.Where(IsOfScale));
            foreach (var (expected, actual) in alone.Losses.Zip(one.Losses)) Assert.Equal(expected, actual, ofFloat16 * expected);
        }
    }

    /// <summary>Only one process has a gradient that is infinite: all skip that update, and halve alike.</summary>
    [Theory, InlineData("float16", 0), InlineData("float16", 2), InlineData("float16, zero", 1)]
    public void Train_OverflowOnOneProcess_IsSkippedByAll(string kind, int rank)
    {
        var steady = (TrainingArguments args) => args with { FirstLossScale = 1024, LossScaleInterval = 1000 };
        var runs = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "overflow", change: steady, spoils: processes.Rank == rank ? 3 : null));
        foreach (var one in runs)
        {
            var said = Assert.Single(one.Notices, line => line.Contains("loss scale", StringComparison.Ordinal));
            Assert.StartsWith("The gradient of update 3 is not a finite number", said, StringComparison.Ordinal);
            Assert.EndsWith("and the loss scale of fp16 falls to 512.", said, StringComparison.Ordinal);
            Assert.True(one.Steps[2].AsSpan().SequenceEqual(one.Steps[1]), "the update was made");
            Assert.False(one.Steps[3].AsSpan().SequenceEqual(one.Steps[2]), "the next was not");
            Assert.Equal(runs[0].Weights, one.Weights);
        }
    }

    private static bool IsOfScale(string line) => line.Contains("loss scale", StringComparison.Ordinal);

    [Fact]
    public void Evaluate_SeveralProcesses_EqualsOneToTheBit()
    {
        foreach (var rows in (int[])[1, 4, 5, 9, 16, 17])
        {
            var data = TinyRun.Data(rows, seed: 3);
            using var model = TinyRun.Model();
            var args = TinyRun.Arguments(_folder.Path);
            var alone = new Trainer(model, args, evalDataset: data).Predict(data, cancellation: TestContext.Current.CancellationToken);
            var together = ThreadProcesses.Run(3, processes =>
            {
                using var other = TinyRun.Model();
                return new Trainer(other, args, evalDataset: data) { Processes = processes }.Predict(data, cancellation: TestContext.Current.CancellationToken);
            });
            foreach (var one in together)
            {
                Assert.Equal(alone.Logits, one.Logits);
                Assert.Equal(alone.Metrics["test_loss"], one.Metrics["test_loss"]);
                Assert.Equal(together[0].Metrics, one.Metrics);
            }
        }
    }

    [Fact]
    public void Train_OtherRowsOnOneProcess_IsRefusedAndWaitsForNobody()
    {
        var error = Assert.Throws<AggregateException>(() => ThreadProcesses.Run(3, processes =>
        {
            using var model = TinyRun.Model();
            return new Trainer(model, Arguments("", "rows", 2, 1), TinyRun.Data(processes.Rank == 2 ? 22 : 23), TinyRun.Data(9, seed: 1)) { Processes = processes }.Train();
        }));
        Assert.All(error.InnerExceptions, one => Assert.Equal("rank 2 has other training rows than rank 0; give all processes the same command, files and versions.", one.Message));
        Assert.Equal(3, error.InnerExceptions.Count);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Train_WeightsThatDrift_AreNoticed(bool isOnDevice)
    {
        var error = Assert.Throws<AggregateException>(() => ThreadProcesses.Run(2, processes =>
        {
            using var model = TinyRun.Model();
            if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
            List<TrainerCallback> callbacks = processes.Rank == 1 ? [new BitFlip(model)] : [];
            return new Trainer(model, Arguments("", "drift", 4, 1), TinyRun.Data(23), TinyRun.Data(9, seed: 1), callbacks: callbacks) { Processes = processes }.Train();
        }));
        Assert.All(error.InnerExceptions, one => Assert.Contains("The weights of rank 1 are no longer those of rank 0", one.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Train_SeveralProcesses_LetTheFirstAloneWrite()
    {
        var written = ThreadProcesses.Run(2, processes =>
        {
            var writes = 0;
            using var model = TinyRun.Model();
            var trainer = new Trainer(model, TinyRun.Arguments(Path.Combine(_folder.Path, "one")) with { MaxSteps = 3, SaveStrategy = SaveStrategy.Steps, SaveSteps = 2, EvalStrategy = IntervalStrategy.No, ReportTo = [] },
                TinyRun.Data(23), saveTokenizer: _ => writes++)
            { Processes = processes };
            trainer.Train();
            trainer.SaveModel();
            trainer.SaveState();
            trainer.SaveMetrics("train", new Dictionary<string, double> { ["a"] = 1 });
            return writes;
        });
        Assert.Equal([3, 0], written);                                      // two checkpoints and the model
        Assert.Equal(["checkpoint-2", "checkpoint-3"], CheckpointFiles.All(Path.Combine(_folder.Path, "one")).Select(Path.GetFileName));
    }

    private Outcome Run(Communicator processes, int batch, int accumulation, string kind, string name, int? stopAfter = null, string? resume = null, BertConfig? config = null,
        Func<TrainingArguments, TrainingArguments>? change = null, int? spoils = null, bool isOnDevice = false)
    {
        var args = Arguments(kind, name, batch, accumulation);
        if (change is not null) args = change(args);
        using var model = kind == "lora" ? BertForSequenceClassification.FromConfig(TinyRun.Config, seed: 1, lora: new LoraConfig { R = 2, LoraDropout = 0.1 })
            : kind.StartsWith("no dropout", StringComparison.Ordinal) ? BertForSequenceClassification.FromConfig((config ?? TinyRun.Config) with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 }, seed: 1)
            : BertForSequenceClassification.FromConfig(config ?? TinyRun.Config, seed: 1);
        if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
        using var stop = new CancellationTokenSource();
        var (watcher, notices) = (new Watcher(model, stopAfter, stop, spoils), new List<string>());
        var trainer = new Trainer(model, args, TinyRun.Data(23), TinyRun.Data(9, seed: 1), callbacks: [watcher], notice: notices.Add,
            computeLoss: kind.EndsWith("own loss", StringComparison.Ordinal) ? (logits, labels) => OwnLoss(logits, labels) : null)
        {
            Processes = processes,
        };
        trainer.Train(resume, stop.Token);
        return new Outcome(watcher.Losses, TinyRun.Weights(model), trainer.State) { Norms = watcher.Norms, Notices = notices, Steps = watcher.Steps };
    }

    /// <summary>Joins the rows of a batch: what it gives of a part is not a part of what it gives of the whole.</summary>
    private static TorchSharp.torch.Tensor OwnLoss(TorchSharp.torch.Tensor logits, Attune.Batching.Labels labels)
    {
        using var mean = logits.mean([0], keepdim: true);
        return (logits - mean).pow(2).sum() / (labels.Rows + 1) + (logits.sum(1) - 1).abs().max();
    }

    private TrainingArguments Arguments(string kind, string name, int batch, int accumulation)
    {
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, name)) with
        {
            PerDeviceTrainBatchSize = batch,
            GradientAccumulationSteps = accumulation,
            WarmupSteps = 0,
            SaveStrategy = SaveStrategy.No,
            NumTrainEpochs = 2,
            OverwriteOutputDir = true,
        };
        return kind switch
        {
            "weights, focal, smoothing" => args with { ClassWeights = "a=2,c=0.5", FocalGamma = 1, LabelSmoothingFactor = 0.1 },
            "r-drop, noise" => args with { RDropAlpha = 2, NeftuneNoiseAlpha = 5 },
            "fgm" => args with { FgmEpsilon = 0.5 },
            "grouped by length" => args with { GroupByLength = true },
            "ema" or "no dropout, ema" => args with { EmaDecay = 0.8 },
            "no dropout, checkpointing" => args with { GradientCheckpointing = true },
            "no dropout, value clipping" => args with { ClipGradValue = 1e-2 },
            "no dropout, r-drop" => args with { RDropAlpha = 1 },
            "no dropout, focal" => args with { FocalGamma = 1, ClassWeights = "a=2,c=0.5" },
            "no dropout, zero" => args with { ZeroStage = 1, WeightDecay = 0.1 },
            "no dropout, zero, tuned, no clipping" => args with { ZeroStage = 1, Tune = "layers:1", MaxGradNorm = 0 },
            "no dropout, zero, ademamix" => args with { ZeroStage = 1, Optim = OptimizerName.Ademamix, OptimArgs = "t_alpha=6,t_beta3=6" },
            "no dropout, tuned" => args with { Tune = "layers:1" },
            "no dropout, sgd" => args with { Optim = OptimizerName.Sgd, LearningRate = 1e-2 },
            "no dropout, by tokens" => args with { MaxTokensPerBatch = 5 * batch },
            "soup" => args with { Soup = 2, SaveStrategy = SaveStrategy.Epoch },
            "schedule-free" => args with { Optim = OptimizerName.ScheduleFreeRadam, AdamBeta2 = 0.9 },
            "tuned" or "zero, tuned" => args with { Tune = "layers:1", ZeroStage = kind == "tuned" ? 0 : 1 },
            "value clipping" => args with { ClipGradValue = 1e-3, MaxGradNorm = 0 },
            "no clipping" => args with { MaxGradNorm = 0 },
            "by tokens" => args with { MaxTokensPerBatch = 5 * batch },
            "by tokens, grouped" => args with { MaxTokensPerBatch = 7 * batch, GroupByLength = true, ZeroStage = 1 },
            "float16" or "float16, zero" => args with { Fp16 = true, FirstLossScale = 1 << 26, LossScaleInterval = 2, NumTrainEpochs = 4, ZeroStage = kind == "float16" ? 0 : 1 },
            "still" or "still, zero" => args with { LearningRate = 0, MaxSteps = 100, ZeroStage = kind == "still" ? 0 : 1 },
            "zero" => args with { ZeroStage = 1, WeightDecay = 0.1 },
            "zero, ademamix" => args with { ZeroStage = 1, Optim = OptimizerName.Ademamix, OptimArgs = "t_alpha=6,t_beta3=6", EmaDecay = 0.9 },
            "zero, by layer" => args with { ZeroStage = 1, LayerLrDecay = 0.7, HeadLearningRate = 1e-2, ClipGradValue = 1e-2 },
            _ => args,
        };
    }

    private static void AssertClose(Outcome expected, Outcome actual, string what)
    {
        Assert.Equal(expected.State.GlobalStep, actual.State.GlobalStep);
        foreach (var (one, other) in expected.Losses.TakeLast(actual.Losses.Count).Zip(actual.Losses)) Assert.True(Math.Abs(one - other) <= Tolerance * Math.Abs(one), $"{what}: loss {other} in place of {one}");
        var difference = expected.Weights.Zip(actual.Weights, (one, other) => Math.Abs(one - other)).Max();
        Assert.True(difference <= Tolerance, $"{what}: the weights differ by {difference}");
        foreach (var (one, other) in expected.State.LogHistory.Where(entry => entry.ContainsKey("eval_loss")).Zip(actual.State.LogHistory.Where(entry => entry.ContainsKey("eval_loss"))))
            Assert.True(Math.Abs(one["eval_loss"] - other["eval_loss"]) <= Tolerance, $"{what}: eval_loss {other["eval_loss"]} in place of {one["eval_loss"]}");
    }

    private sealed record Outcome(List<double> Losses, float[] Weights, TrainerState State)
    {
        internal List<double> Norms { get; init; } = [];

        internal List<string> Notices { get; init; } = [];

        /// <summary>The weights after each update in float16.</summary>
        internal List<float[]> Steps { get; init; } = [];
    }

    private sealed class Watcher(BertForSequenceClassification model, int? stopAfter, CancellationTokenSource stop, int? spoils) : TrainerCallback
    {
        internal List<double> Losses { get; } = [];

        internal List<double> Norms { get; } = [];

        internal List<float[]> Steps { get; } = [];

        /// <summary>Between two batches of an update: a gradient that this process alone has becomes infinite.</summary>
        public override void OnSubstepEnd(TrainingArguments args, TrainerState state, TrainerControl control)
        {
            if (state.GlobalStep + 1 != spoils) return;
            using var gradient = model.Weights["bert.encoder.layer.1.output.dense.weight"].Gradient;
            gradient[0, 0] = float.PositiveInfinity;
        }

        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
        {
            Losses.Add(step.Loss);
            Norms.Add(step.GradNorm ?? 0);
            if (args.Fp16) Steps.Add(TinyRun.Weights(model));                 // reading them brings all rows of tables up to date, which is else put off
            if (state.GlobalStep == stopAfter) stop.Cancel();
        }
    }

    private sealed class Shortage(MemoryMeter meter, long bytes) : TrainerCallback
    {
        public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control) => meter.LimitBytes = meter.PeakBytes + bytes;
    }

    private sealed class BitFlip(BertForSequenceClassification model) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
        {
            if (state.GlobalStep == 2) model.Weights.Values[0] = model.Weights.Values[0] + 1e-3f;
        }
    }
}
