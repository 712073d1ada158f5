using System.Globalization;
using Attune.Batching;
using Attune.Formats;
using Attune.Models;
using Attune.Native;

namespace Attune.Training;

/// <summary>How much of a batch goes through the model at a time: all of it, or as many rows as fit into the free memory.</summary>
internal sealed class MicroBatches
{
    /// <summary>Share of the free memory that is used: beside the tensors there are the allocator's gaps (a quarter was seen) and other processes.</summary>
    internal const double Usable = 0.75;

    /// <summary>Most tokens of the row that is measured. From there on memory grows with the tokens alone.</summary>
    private const int MostTokensMeasured = 128;

    private readonly RowBytes _row;
    private readonly double _budget;
    private readonly int _mostRows;

    private MicroBatches(RowBytes row, double budget, int mostRows = int.MaxValue) => (_row, _budget, _mostRows) = (row, budget, mostRows);

    /// <summary>Batches as they are.</summary>
    internal static MicroBatches Whole { get; } = new(default, double.PositiveInfinity);

    /// <summary>Batches in parts of at most so many rows.</summary>
    internal static MicroBatches AtMost(int rows) => new(default, double.PositiveInfinity, rows);

    /// <summary>Measures what rows need and finds out what is free.</summary>
    /// <param name="task">Ready to train; the gradients of its model are cleared.</param>
    /// <param name="data">The training rows.</param>
    /// <param name="batchSize">Rows of a batch.</param>
    /// <param name="free">Free bytes; null asks the system.</param>
    /// <param name="notice">Is told what was found.</param>
    /// <exception cref="AttuneException">The longest row does not fit alone.</exception>
    internal static MicroBatches Fitting(TrainingTask task, TokenizedDataset data, int batchSize, long? free, Action<string> notice)
    {
        var lengths = data.Rows.Select(row => row.Length).OrderDescending().Take(batchSize).ToList();
        return Fitting(task, data, lengths, $"longest {lengths.Count} rows", free, notice);
    }

    /// <summary>The same for the batches that the arguments ask for.</summary>
    /// <exception cref="AttuneException">The longest row does not fit alone.</exception>
    internal static MicroBatches Fitting(TrainingTask task, TokenizedDataset data, TrainingArguments args, long? free, Action<string> notice)
    {
        if (args.TokensPerBatch is not { } tokens) return Fitting(task, data, args.PerDeviceTrainBatchSize, free, notice);
        // Of as many tokens the shortest rows are the most, and each takes some memory besides that of its tokens.
        int[] ascending = [.. data.Rows.Select(row => row.Length).Order()];
        List<int> shortest = [.. ascending[..TokenBatches.Starts(ascending.Length, row => ascending[row], tokens / args.WorldSize)[1]]];
        return Fitting(task, data, shortest, string.Create(CultureInfo.InvariantCulture, $"shortest rows of {shortest.Sum():N0} tokens"), free, notice);
    }

    private static MicroBatches Fitting(TrainingTask task, TokenizedDataset data, List<int> lengths, string what, long? free, Action<string> notice)
    {
        var longest = data.Rows.Max(one => one.Length);
        var row = task.Measure(data.Rows.MaxBy(one => one.Length)!).Times(task.Passes);
        // After the measurement, in which the gradients took their place.
        var budget = Usable * (free ?? FreeMemory.Bytes());
        if (row.Of(longest) > budget)
            throw new AttuneException(
                $"The longest row has {longest} tokens and needs {ByteSize.Words(row.Of(longest))} in training, but only {ByteSize.Words(budget)} of memory can be used: shorten the " +
                $"rows by --max-length, {(task.Model.Encoder.GradientCheckpointing ? "" : "give --gradient-checkpointing, ")}or take a smaller model.");
        var worst = lengths.Sum(row.Of);
        if (worst <= budget)
        {
            notice($"auto_find_batch_size: the {what} need {ByteSize.Words(worst)} and {ByteSize.Words(budget)} can be used, so batches stay whole.");
            return Whole;
        }
        notice(string.Create(CultureInfo.InvariantCulture, $"auto_find_batch_size: the {what} need {ByteSize.Words(worst)} and {ByteSize.Words(budget)} can be used, ") +
            $"so a batch that does not fit is computed in parts, at most {(int)(budget / row.Of(longest))} of the longest rows at a time; the result is the same.");
        return new MicroBatches(row, budget);
    }

    /// <summary>The same with half as many rows at a time, for batches that did not fit after all; null where a row did not fit alone.</summary>
    /// <param name="batchSize">Rows of a batch.</param>
    internal MicroBatches? Halved(int batchSize)
    {
        var now = Math.Min(_mostRows, batchSize);
        return now == 1 ? null : new MicroBatches(_row, _budget, (now + 1) / 2);
    }

    /// <summary>Most rows that go through the model at a time; null where only their memory counts.</summary>
    internal int? MostRows => _mostRows == int.MaxValue ? null : _mostRows;

    /// <summary>The batch in parts, in its order: as many rows in each as fit.</summary>
    internal IEnumerable<Range> Of(TokenizedDataset data, int[] rows)
    {
        var (first, bytes) = (0, 0.0);
        for (var i = 0; i < rows.Length; i++)
        {
            var more = _row.Of(data.Rows[rows[i]].Length);
            if (i > first && (bytes + more > _budget || i - first == _mostRows))
            {
                yield return first..i;
                (first, bytes) = (i, 0);
            }
            bytes += more;
        }
        yield return first..rows.Length;
    }

    /// <summary>
    /// The memory of a row in a training step. That of a batch is at most the sum of its rows', and close to it: all tensors have a line for
    /// each token or for each row.
    /// </summary>
    /// <param name="Fixed">Bytes of a row.</param>
    /// <param name="Token">Bytes of each of its tokens.</param>
    internal readonly record struct RowBytes(double Fixed, double Token)
    {
        internal double Of(int tokens) => Fixed + Token * tokens;

        internal RowBytes Times(int passes) => new(Fixed * passes, Token * passes);

        /// <summary>Measures it by a classifier's own step, on two beginnings of a row.</summary>
        internal static RowBytes Measure(SequenceClassificationModel model, TokenizedRow row) => Measure(model, row, batch =>
        {
            using var output = model.Forward(batch);
            output.Backward(new float[output.Logits.Length]);
        });

        /// <summary>Measures it by what a step does with a batch, forward and back.</summary>
        internal static RowBytes Measure(PreTrainedModel model, TokenizedRow row, Action<Batch> step)
        {
            var many = Math.Min(MostTokensMeasured, row.Length);
            var few = many / 2;
            var most = PeakBytes(model, row.First(many), step);
            if (few == 0) return new RowBytes(0, most);
            var token = (most - PeakBytes(model, row.First(few), step)) / (double)(many - few);
            return new RowBytes(most - token * many, token);
        }

        private static long PeakBytes(PreTrainedModel model, TokenizedRow row, Action<Batch> step)
        {
            _ = model.Weights.RawGradients;                                // stays; not the row's
            var wasTraining = model.Training;
            model.Training = true;
            try
            {
                using var meter = new MemoryMeter();
                step(Batch.Pack([row]));
                return meter.PeakBytes;
            }
            finally
            {
                model.Training = wasTraining;
                model.Weights.ClearGradients();
            }
        }
    }
}
