using System.Diagnostics;
using Attune.Batching;
using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>
/// What a run takes, found out by doing a little of each of its parts: updates of the first epoch, batches of an evaluation, a checkpoint. The model is worth
/// nothing afterwards.
/// </summary>
/// <remarks>
/// The updates are some of those that the run would make, chosen so that small and large ones are there as in the whole. The one with the most tokens is made
/// too, for the memory. Its files go into the Trainer's output folder.
/// </remarks>
internal sealed class TrainingProbe : IDisposable
{
    // Updates are repeated until their time is more than noise. On a machine that others use too the noise lasts for seconds, so a long run is probed for longer.
    private const double LeastSeconds = 2, MostSeconds = 12, ShareOfRun = 0.07;
    private const int MostRounds = 100, BatchesEvaluated = 12;

    private readonly Trainer _trainer;
    private readonly TokenizedDataset _data;
    private readonly TrainingPlan _plan;
    private readonly TrainerState _state;
    private readonly TrainingStep _step;
    private readonly CancellationToken _cancellation;
    private readonly int[][][] _updates;
    private readonly long[] _sizes;
    private readonly int[] _chosen;
    private double[] _seconds = [];

    /// <param name="trainer">With the run's model, arguments and training rows, and an output folder that is nobody's.</param>
    /// <param name="updates">How many updates to measure, at least 1.</param>
    /// <param name="cancellation">Ends it between two updates.</param>
    internal TrainingProbe(Trainer trainer, int updates, CancellationToken cancellation)
    {
        (_trainer, _data, _cancellation) = (trainer, trainer.TrainDataset!, cancellation);
        var args = trainer.Args;
        var loader = Samplers.Batches(args, _data, trainer.Task.Order(args, _data));
        _plan = TrainingPlan.Of(args, loader);
        _state = new TrainerState { Epoch = 0, TrainBatchSize = args.PerDeviceTrainBatchSize, MaxSteps = _plan.TotalSteps };
        trainer.State = _state;
        _updates = [.. loader.RowsOfUpdates(0, args.GradientAccumulationSteps).Take((int)Math.Min(int.MaxValue, _plan.TotalSteps))];
        _sizes = [.. _updates.Select(update => update.Sum(batch => batch.Sum(row => (long)_data.Rows[row].Length)))];
        _chosen = SampledBatches.Choose(_sizes, updates);
        _step = new TrainingStep(trainer.Task, _data, args, _plan, trainer.Callbacks, _state, notice: trainer.Notice);
        if (args.AutoFindBatchSize && trainer.Model.Weights.OnDevice is null)
            _step.MicroBatches = MicroBatches.Fitting(trainer.Task, _data, args, trainer.FreeMemoryBytes, trainer.Notice);
    }

    /// <summary>Updates of the whole run.</summary>
    internal long TotalUpdates => _plan.TotalSteps;

    /// <summary>How many updates are measured.</summary>
    internal int UpdatesMeasured => _chosen.Length;

    /// <summary>Evaluations and checkpoints of the run.</summary>
    internal RunSchedule Schedule => RunSchedule.Of(_trainer.Args, _plan);

    /// <summary>
    /// Measures updates when they have come to their speed; gives the seconds that one takes on average over the run, and what those before that take besides.
    /// </summary>
    /// <param name="tell">Is told of each which one it is, from 1, and how often it was made before.</param>
    internal (double Each, double First) MeasureUpdates(Action<int, int> tell)
    {
        var beginning = new SteadySpeed();
        for (var first = 0; !beginning.IsReached; first++)
        {
            var update = first == 0 ? Array.IndexOf(_sizes, _sizes.Max()) : _chosen[first % _chosen.Length];
            beginning.Add(_sizes[update], Run(update));
        }
        _trainer.Model.Weights.UpToDateValues();
        _seconds = new double[_chosen.Length];
        var garbage = GC.GetTotalAllocatedBytes();
        var all = Stopwatch.StartNew();
        var rounds = 0;
        for (; rounds == 0 || rounds < MostRounds && all.Elapsed.TotalSeconds < Math.Clamp(ShareOfRun * TotalUpdates * _seconds.Average() / rounds, LeastSeconds, MostSeconds); rounds++)
            foreach (var (place, update) in _chosen.Index())
            {
                _seconds[place] += Run(update);
                tell(place + 1, rounds);
            }
        // The mean: what disturbs an update now and then will disturb those of the run as often.
        for (var place = 0; place < _seconds.Length; place++) _seconds[place] /= rounds;
        // Rows of the embeddings that these updates did not read have theirs still to come; in the end each row has made them all.
        var late = Stopwatch.StartNew();
        _trainer.Model.Weights.UpToDateValues();
        var made = rounds * _chosen.Length;
        LeaveGarbage((GC.GetTotalAllocatedBytes() - garbage) / made * _plan.TotalSteps);
        var each = SampledBatches.MeanTime(_sizes, _chosen, _seconds) + late.Elapsed.TotalSeconds / made;
        return (each, beginning.Besides(TotalUpdates, each / _sizes.Average()));
    }

    /// <summary>Measures some batches of an evaluation; gives the seconds that all of it takes.</summary>
    internal double MeasureEvaluation(TokenizedDataset data)
    {
        var starts = EvaluationBatches.Starts(_trainer.Args, data.Texts, text => (int)Math.Min(int.MaxValue, TokensOf(data, text)));
        int[][] batches = [.. Enumerable.Range(0, starts.Length - 1).Select(batch => EvaluationBatches.Rows(starts, batch))];
        long[] sizes = [.. batches.Select(texts => texts.Sum(text => TokensOf(data, text)))];
        var chosen = SampledBatches.Choose(sizes, BatchesEvaluated);
        Evaluate(data, batches[Array.IndexOf(sizes, sizes.Max())]);
        var (seconds, rounds) = (new double[chosen.Length], 0);
        for (; rounds == 0 || rounds < MostRounds && seconds.Sum() < LeastSeconds / 4; rounds++)
            for (var i = 0; i < seconds.Length; i++) seconds[i] += Evaluate(data, batches[chosen[i]]);
        return SampledBatches.MeanTime(sizes, chosen, seconds) / rounds * batches.Length;
    }

    /// <summary>
    /// Writes a checkpoint, and before it one while updates are made where the run writes several; gives the seconds that training waits for each. Only the last is kept.
    /// </summary>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal (double Last, double Other) MeasureCheckpoints(bool several)
    {
        using var writer = new CheckpointWriter(_trainer, _step.Optimizer, _step.Averaged);
        var other = 0.0;
        if (several)
        {
            other = Begin(writer, atOnce: false);
            CheckpointWriter.Written? written;
            for (var made = 0; (written = writer.Finished(wait: false)) is null; made++)
            {
                var place = made % _chosen.Length;
                other += Math.Max(0, Run(_chosen[place]) - _seconds[place]);
            }
            Require(written);
            RemoveCheckpoints();
        }
        _state.GlobalStep++;
        var last = Begin(writer, atOnce: true);
        Require(writer.Finished(wait: true)!);
        return (last, several ? other : last);
    }

    /// <summary>Loads the checkpoint that was written last; gives the seconds.</summary>
    internal double MeasureLoading()
    {
        var watch = Stopwatch.StartNew();
        LoopCheckpoint.LoadWeights(_trainer.Model, CheckpointFiles.Newest(_trainer.Args.OutputDir)!);
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>Writes the model in the place of the checkpoints; gives the seconds.</summary>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal double MeasureSaving()
    {
        RemoveCheckpoints();
        var watch = Stopwatch.StartNew();
        _trainer.SaveModel();
        return watch.Elapsed.TotalSeconds;
    }

    public void Dispose() => _step.Dispose();

    /// <summary>
    /// Takes managed memory as the whole run would: the runtime collects garbage only when the youngest generation is full, which some updates alone do not make it.
    /// </summary>
    private static void LeaveGarbage(long bytes)
    {
        const int piece = 1 << 14;
        var collections = GC.CollectionCount(0);
        for (var left = bytes; left > 0 && GC.CollectionCount(0) == collections; left -= piece) GC.KeepAlive(new byte[piece]);
    }

    /// <summary>Makes room: the disk need not have more of it than for one of the run's checkpoints.</summary>
    private void RemoveCheckpoints()
    {
        foreach (var folder in CheckpointFiles.All(_trainer.Args.OutputDir)) CheckpointRotation.Remove(folder);
    }

    private double Run(int update)
    {
        _cancellation.ThrowIfCancellationRequested();
        var watch = Stopwatch.StartNew();
        _step.Run(_updates[update]);
        return watch.Elapsed.TotalSeconds;
    }

    private double Evaluate(TokenizedDataset data, int[] texts)
    {
        var watch = Stopwatch.StartNew();
        _trainer.Predict(data.Select(texts), cancellation: _cancellation);
        return watch.Elapsed.TotalSeconds;
    }

    private double Begin(CheckpointWriter writer, bool atOnce)
    {
        var watch = Stopwatch.StartNew();
        writer.Begin(_state, TrainingCheckpoint.StateOf(_trainer, _plan, _step, new RunPosition(), 0), atOnce);
        return watch.Elapsed.TotalSeconds;
    }

    private static void Require(CheckpointWriter.Written written)
    {
        if (written.Error is { } error) throw error;
    }

    private static long TokensOf(TokenizedDataset data, int text)
    {
        if (data.TextStarts is not { } starts) return data.Rows[text].Length;
        var tokens = 0L;
        for (var row = starts[text]; row < starts[text + 1]; row++) tokens += data.Rows[row].Length;
        return tokens;
    }
}
