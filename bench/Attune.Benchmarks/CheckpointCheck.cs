using System.Diagnostics;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Training;

namespace Attune.Benchmarks;

/// <summary>What checkpoints of BERT-base cost a run, how soon a run ends that is told to, and how soon one goes on in the middle of a long epoch.</summary>
internal sealed class CheckpointCheck : Check
{
    private const int BatchSize = 16, UpdatesOfEpoch = 50, Epochs = 11, LateBatches = 10_000;

    internal override string Name => "checkpoint";

    internal override string Summary => "BERT-base, batches of 16: time and memory of a checkpoint each 50 updates; seconds to stop with one; a tiny model resumed after 10,000 batches";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-checkpoints-").FullName;
        try
        {
            foreach (var part in CostOfSaving(folder)) yield return part;
            yield return Resume(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Every epoch is the same rows, so that epochs after which a checkpoint is taken and others can be compared.</summary>
    private IEnumerable<CheckPart> CostOfSaving(string folder)
    {
        using var model = BertForSequenceClassification.FromConfig(TrainingSide.Configuration("base"));
        using var stop = new CancellationTokenSource();
        var watch = new EpochWatch(stop);
        var trainer = new Trainer(model, Arguments(Path.Combine(folder, "base"), BatchSize) with { NumTrainEpochs = Epochs + 1, SaveTotalLimit = 1 },
            Dataset(BatchSize * UpdatesOfEpoch), callbacks: [watch], notice: Console.WriteLine);
        trainer.Train(cancellation: stop.Token);
        var toStop = watch.SinceStop;
        var (with, without) = (Statistics.Median(watch.Seconds(isSaving: true)), Statistics.Median(watch.Seconds(isSaving: false)));
        var state = 3.0 * sizeof(float) * model.ParameterCount;
        Facts["seconds_standing_still"] = Statistics.Median(watch.Standstills);
        yield return new("time with a checkpoint each 50 updates", with / without, 1.03, "times that without", LowerIsBetter: true,
            Note: $"{with:F2} and {without:F2} s, medians of {watch.Seconds(true).Count} and {watch.Seconds(false).Count} epochs in turn");
        yield return new("memory", (watch.PeakAfter - watch.PeakBefore) / state, 1.05, "copies of the state", LowerIsBetter: true,
            Note: $"{(watch.PeakAfter - watch.PeakBefore) / 1e9:F2} and {state / 1e9:F2} GB");
        yield return new("told to stop, to the end with a checkpoint", toStop, 10, "s", LowerIsBetter: true);
    }

    private CheckPart Resume(string folder)
    {
        var config = new BertConfig { VocabSize = 30522, HiddenSize = 16, NumHiddenLayers = 1, NumAttentionHeads = 1, IntermediateSize = 32 };
        var (data, late) = (Dataset(2 * LateBatches), Arguments(Path.Combine(folder, "late"), 1));
        using (var model = BertForSequenceClassification.FromConfig(config)) new Trainer(model, late with { MaxSteps = LateBatches }, data).Train();
        using var again = BertForSequenceClassification.FromConfig(config);
        var (watch, seconds) = (Stopwatch.StartNew(), 0.0);
        var trainer = new Trainer(again, late with { MaxSteps = LateBatches + 1 }, data, callbacks: [new FirstStep(() => seconds = watch.Elapsed.TotalSeconds)]);
        trainer.Train("true");
        return new("from the start of training to the first update after 10,000 batches of an epoch", seconds, 2, "s", LowerIsBetter: true);
    }

    private static TrainingArguments Arguments(string folder, int batchSize) => new()
    {
        OutputDir = folder,
        PerDeviceTrainBatchSize = batchSize,
        LearningRate = 2e-5,
        SaveStrategy = SaveStrategy.Steps,
        SaveSteps = 1_000_000,
        LoggingStrategy = IntervalStrategy.No,
        ReportTo = [],
    };

    private TokenizedDataset Dataset(int count)
    {
        var rows = Sst2Rows.Take(count);
        Facts["rows"] = rows.Source;
        return new TokenizedDataset([.. rows.Rows.Select(row => new TokenizedRow(row))], new ClassLabels([.. Enumerable.Range(0, count).Select(Sst2Rows.Label)]));
    }

    private sealed class FirstStep(Action done) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step) => done();
    }

    /// <summary>Times epochs, has a checkpoint taken at the beginning of each second one, and stops the run in the last.</summary>
    private sealed class EpochWatch(CancellationTokenSource stop) : TrainerCallback
    {
        private const int Warmup = 2;                                       // of the code, and of the copy's memory

        private readonly List<(bool IsSaving, double Seconds)> _epochs = [];
        private readonly Stopwatch _step = new(), _stopping = new();
        private long _begin;

        internal List<double> Standstills { get; } = [];

        internal double PeakBefore { get; private set; }

        internal double PeakAfter { get; private set; }

        internal double SinceStop => _stopping.Elapsed.TotalSeconds;

        internal List<double> Seconds(bool isSaving) => [.. _epochs.Skip(Warmup).Where(epoch => epoch.IsSaving == isSaving).Select(epoch => epoch.Seconds)];

        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
        {
            var (epoch, inEpoch) = Math.DivRem(state.GlobalStep, UpdatesOfEpoch);
            if (inEpoch == 0)
            {
                var now = Stopwatch.GetTimestamp();
                if (_begin != 0) _epochs.Add(((epoch - 1) % 2 == 1, Stopwatch.GetElapsedTime(_begin, now).TotalSeconds));
                _begin = now;
                if (epoch == 1) PeakBefore = Machine.PeakMemoryBytes;
                PeakAfter = Machine.PeakMemoryBytes;
                if (epoch % 2 == 1) control.ShouldSave = true;
                _step.Restart();
            }
            if (epoch == Epochs && inEpoch == 10)
            {
                _stopping.Start();
                stop.Cancel();
            }
        }

        public override void OnStepBegin(TrainingArguments args, TrainerState state, TrainerControl control)
        {
            if (state.GlobalStep % (2 * UpdatesOfEpoch) == UpdatesOfEpoch) Standstills.Add(_step.Elapsed.TotalSeconds);
        }

        public override void OnTrainEnd(TrainingArguments args, TrainerState state, TrainerControl control) => _stopping.Stop();
    }
}
