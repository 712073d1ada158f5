using Attune.Batching;
using Attune.Formats;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>The frozen end's output for a run's data sets: decides what is kept, says so, and hands it out.</summary>
internal sealed class FrozenCache(Trainer trainer) : IDisposable
{
    private readonly List<FrozenOutputs> _outputs = [];
    private readonly List<TokenizedDataset> _planned = [];

    /// <summary>Decides what a run keeps, before anything of an earlier run is deleted; creates no file yet.</summary>
    /// <param name="train">The training rows.</param>
    /// <param name="args">Of the run.</param>
    /// <param name="plan">Of the run.</param>
    /// <param name="checkpointBytes">Of a checkpoint: two are there while the older one is replaced, and must find room besides.</param>
    /// <exception cref="AttuneException">It is asked for and there is no room for it.</exception>
    internal void Plan(TokenizedDataset train, TrainingArguments args, TrainingPlan plan, long checkpointBytes)
    {
        var encoder = trainer.Model.Encoder;
        var isAsked = args.CacheFrozen == true;
        var isRandom = encoder.IsFrozenPartDropping || encoder.FrozenParts > 0 && args.NeftuneNoiseAlpha > 0;
        if (trainer.Processes.Size > 1)
        {
            if (isAsked) trainer.Notice("cache_frozen has no effect in several processes: a row is another one's in each epoch.");
            return;
        }
        if (trainer.Model.Weights.OnDevice is not null)
        {
            if (isAsked) trainer.Notice("cache_frozen has no effect on a graphics card, which computes the frozen part faster than its output is read.");
            return;
        }
        // A sum of three rows of the embeddings is there faster than it is read.
        if (!trainer.Task.MayKeepFrozenOutputs || args.CacheFrozen == false || encoder.FrozenParts < (isAsked ? 1 : 2) || !isAsked && plan.Epochs < 2) return;
        if (isAsked || !isRandom) _planned.Add(train);
        else trainer.Notice(
            "The frozen part is computed in every epoch, because its dropout is on, as in transformers; --cache-frozen computes it once, without its dropout and noise.");
        // Evaluation has no dropout, so there it changes nothing.
        if (args.EvalStrategy != IntervalStrategy.No && trainer.EvalDataset is { } eval && eval != train) _planned.Add(eval);
        if (_planned.Count == 0) return;
        var size = _planned.Sum(data => FrozenOutputs.SizeBytes(trainer.Model, data));
        if (NearestFolder.TryFreeBytes(args.OutputDir) - 2 * checkpointBytes is { } room && room < size)
        {
            var lack = $"The frozen part's output would take {ByteSize.Words(size)} in {args.OutputDir}, and {ByteSize.Words(Math.Max(0, room))} are free there " +
                "besides two checkpoints";
            if (isAsked) throw new AttuneException($"{lack}; free some space, choose another --output-dir, or give --cache-frozen false.");
            trainer.Notice($"{lack}, so it is computed in every epoch.");
            _planned.Clear();
            return;
        }
        var dropout = isAsked && isRandom ? ", without its dropout" : "";
        trainer.Notice($"The frozen part's output is computed once for each row{dropout}, and takes {ByteSize.Words(size)} on the disk until the run ends.");
    }

    /// <summary>Creates the files, and computes the training rows; those of the evaluation come with the first evaluation.</summary>
    /// <exception cref="AttuneException">A file cannot be created.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal void Open(CancellationToken cancellation)
    {
        foreach (var data in _planned)
        {
            var outputs = new FrozenOutputs(trainer.Model, data, trainer.Args.OutputDir);
            _outputs.Add(outputs);
            if (data == trainer.TrainDataset) outputs.Fill(rows => trainer.Callbacks.FrozenStep(trainer.State, rows, data.Count), cancellation);
        }
    }

    /// <summary>The output for some rows; null where it is not kept. It belongs to the caller.</summary>
    internal Tensor? Of(TokenizedDataset data, ReadOnlySpan<int> rows, Batch batch)
    {
        foreach (var outputs in _outputs)
            if (outputs.Data == data) return outputs.Of(rows, batch);
        return null;
    }

    public void Dispose()
    {
        foreach (var outputs in _outputs) outputs.Dispose();
        _outputs.Clear();
    }
}
