using System.Diagnostics;
using Attune.Batching;
using Attune.Models;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>Training on a card by the Trainer, as a program does it, of a model with random weights; what comes after the first updates is timed.</summary>
internal static class GpuRun
{
    /// <summary>The card's word.</summary>
    internal const string Device = "cuda:0";

    /// <summary>Rows in SST-2's training set.</summary>
    internal const int Sst2Count = 67_349;

    private const int RandomSeed = 2024, FirstWord = 1996, Words = 30522;

    /// <summary>Rows of SST-2's lengths.</summary>
    internal static TokenizedDataset Short(int count) => Labelled(Sst2Rows.Take(count).Rows);

    /// <summary>Random rows that are all as long.</summary>
    internal static TokenizedDataset Long(int count, int tokens)
    {
        var random = new Random(RandomSeed);
        return Labelled([.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, tokens).Select(_ => random.Next(FirstWord, Words)).ToArray())]);
    }

    /// <summary>Trains in bfloat16 with AdamW and dropout, and times the updates after the first ones.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="data">The rows; they come in epochs as ever.</param>
    /// <param name="batchSize">Rows of an update.</param>
    /// <param name="first">Updates before those that are timed.</param>
    /// <param name="timed">Updates that are timed.</param>
    internal static GpuSpeed Train(BertConfig config, TokenizedDataset data, int batchSize, int first, int timed)
    {
        var folder = Directory.CreateTempSubdirectory("attune-gpu-").FullName;
        try
        {
            using var model = BertForSequenceClassification.FromConfig(config);
            var clock = new Clock(first, first + timed);
            var output = new Trainer(model, Arguments(folder, batchSize) with { MaxSteps = first + timed }, data, callbacks: [clock]).Train();
            var speed = new GpuSpeed(clock.Seconds, timed * (double)batchSize, output);
            Console.WriteLine($"Attune: {speed.RowsPerSecond:F0} rows/s in batches of {batchSize}, {clock.Seconds * 1000 / timed:F2} ms an update");
            return speed;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Trains an epoch; gives its seconds.</summary>
    internal static double Epoch(BertConfig config, TokenizedDataset data, int batchSize)
    {
        var folder = Directory.CreateTempSubdirectory("attune-gpu-").FullName;
        try
        {
            using var model = BertForSequenceClassification.FromConfig(config);
            return new Trainer(model, Arguments(folder, batchSize) with { NumTrainEpochs = 1 }, data).Train().Metrics["train_runtime"];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static TrainingArguments Arguments(string folder, int batchSize) => new()
    {
        OutputDir = folder,
        Device = Device,
        Bf16 = true,
        PerDeviceTrainBatchSize = batchSize,
        LearningRate = 2e-5,
        WeightDecay = 0.01,
        SaveStrategy = SaveStrategy.No,
        LoggingStrategy = IntervalStrategy.No,
        ReportTo = [],
    };

    private static TokenizedDataset Labelled(IReadOnlyList<int[]> rows) =>
        new([.. rows.Select(row => new TokenizedRow(row))], new ClassLabels([.. Enumerable.Range(0, rows.Count).Select(Sst2Rows.Label)]));

    /// <summary>Measures from one update to another, when the card has done what it was given.</summary>
    private sealed class Clock(int from, int to) : TrainerCallback
    {
        private readonly Stopwatch _watch = new();

        internal double Seconds => _watch.Elapsed.TotalSeconds;

        public override void OnStepEnd(TrainingArguments args, Checkpoints.TrainerState state, TrainerControl control, StepResult step)
        {
            if (state.GlobalStep != from && state.GlobalStep != to) return;
            cuda.synchronize();
            if (state.GlobalStep == from) _watch.Start();
            else _watch.Stop();
        }
    }
}

/// <summary>How fast it was.</summary>
/// <param name="Seconds">Of the updates that were timed.</param>
/// <param name="Rows">That these trained on.</param>
/// <param name="Output">What the Trainer gave.</param>
internal sealed record GpuSpeed(double Seconds, double Rows, TrainOutput Output)
{
    internal double RowsPerSecond => Rows / Seconds;
}
