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
            "lora", "value clipping", "no clipping", "zero", "zero, ademamix", "zero, by layer", "zero, tuned"])
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
            var (losses, notices) = (new List<double>(), new List<string>());
            List<TrainerCallback> callbacks = [new Watcher(losses, null, stop), .. meter is null ? Array.Empty<TrainerCallback>() : [new Shortage(meter, memory!.Value)]];
            _ = model.Weights.RawGradients;                                // they stay, whatever the memory
            var trainer = new Trainer(model, Arguments("", "short", rows, 1) with { EvalStrategy = IntervalStrategy.No }, data, callbacks: callbacks, notice: notices.Add) { Processes = processes };
            trainer.Train();
            return (new Outcome(losses, TinyRun.Weights(model), trainer.State), notices);
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

    [Fact]
    public void Train_ResumedInTheMiddle_ContinuesToTheBit()
    {
        foreach (var kind in (string[])["ema", "zero"])
        {
            var whole = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "whole" + kind));
            for (var step = 1; step < whole[0].State.GlobalStep; step++)
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

    [Theory, InlineData("", 2), InlineData("zero", 4), InlineData("zero", 1)]
    public void Train_ResumedByAnotherNumberOfProcesses_GoesOnAtTheSameRow(string kind, int others)
    {
        var whole = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "whole"));
        _ = ThreadProcesses.Run(3, processes => Run(processes, 2, 2, kind, "stopped", stopAfter: 3));
        var resumed = others == 1 ? [Run(Communicator.Single, 4, 2, kind, "stopped", resume: "true")]
            : ThreadProcesses.Run(others, processes => Run(processes, 4, 2, kind, "stopped", resume: "true"));
        AssertClose(whole[0], resumed[0], $"{kind}, by {others}");
    }

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

    [Fact]
    public void Train_WeightsThatDrift_AreNoticed()
    {
        var error = Assert.Throws<AggregateException>(() => ThreadProcesses.Run(2, processes =>
        {
            using var model = TinyRun.Model();
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
            var folder = Path.Combine(_folder.Path, $"of-{processes.Rank}");
            using var model = TinyRun.Model();
            var trainer = new Trainer(model, TinyRun.Arguments(folder) with { MaxSteps = 3, SaveStrategy = SaveStrategy.Steps, SaveSteps = 2, EvalStrategy = IntervalStrategy.No, ReportTo = [], OutputDir = Path.Combine(_folder.Path, "one") },
                TinyRun.Data(23))
            { Processes = processes };
            trainer.Train();
            trainer.SaveModel();
            trainer.SaveState();
            trainer.SaveMetrics("train", new Dictionary<string, double> { ["a"] = 1 });
            return Directory.Exists(folder);
        });
        Assert.DoesNotContain(true, written);
        Assert.Equal(["checkpoint-2", "checkpoint-3"], CheckpointFiles.All(Path.Combine(_folder.Path, "one")).Select(Path.GetFileName));
    }

    private Outcome Run(Communicator processes, int batch, int accumulation, string kind, string name, int? stopAfter = null, string? resume = null, BertConfig? config = null)
    {
        var args = Arguments(kind, name, batch, accumulation);
        using var model = kind == "lora" ? BertForSequenceClassification.FromConfig(TinyRun.Config, seed: 1, lora: new LoraConfig { R = 2, LoraDropout = 0.1 })
            : kind == "no dropout" ? BertForSequenceClassification.FromConfig(TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 }, seed: 1)
            : BertForSequenceClassification.FromConfig(config ?? TinyRun.Config, seed: 1);
        using var stop = new CancellationTokenSource();
        var losses = new List<double>();
        var trainer = new Trainer(model, args, TinyRun.Data(23), TinyRun.Data(9, seed: 1), callbacks: [new Watcher(losses, stopAfter, stop)],
            computeLoss: kind == "own loss" ? (logits, labels) => OwnLoss(logits, labels) : null)
        {
            Processes = processes,
        };
        trainer.Train(resume, stop.Token);
        return new Outcome(losses, TinyRun.Weights(model), trainer.State);
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
            "ema" => args with { EmaDecay = 0.8 },
            "soup" => args with { Soup = 2, SaveStrategy = SaveStrategy.Epoch },
            "schedule-free" => args with { Optim = OptimizerName.ScheduleFreeRadam, AdamBeta2 = 0.9 },
            "tuned" or "zero, tuned" => args with { Tune = "layers:1", ZeroStage = kind == "tuned" ? 0 : 1 },
            "value clipping" => args with { ClipGradValue = 1e-3, MaxGradNorm = 0 },
            "no clipping" => args with { MaxGradNorm = 0 },
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

    private sealed record Outcome(List<double> Losses, float[] Weights, TrainerState State);

    private sealed class Watcher(List<double> losses, int? stopAfter, CancellationTokenSource stop) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
        {
            losses.Add(step.Loss);
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
