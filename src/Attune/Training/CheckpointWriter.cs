using Attune.Checkpoints;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>
/// Writes a run's checkpoints. A large state is copied while training stands still, which takes as long as its memory, and written while
/// training goes on; a small one is written at once. One checkpoint at a time.
/// </summary>
internal sealed class CheckpointWriter(Trainer trainer, Optimizer optimizer, AveragedWeights? averaged = null) : IDisposable
{
    /// <summary>Up to here handing a state over gains nothing.</summary>
    private const long WrittenAtOnceBytes = 16 << 20;

    private const int BytesOfSmallFiles = 4 << 20;                          // the tokenizer's and the states' together

    private readonly StateCopy _copy = new();
    private Task<Written>? _running;
    private bool _saidSo;

    /// <summary>What became of a checkpoint.</summary>
    /// <param name="Folder">The checkpoint.</param>
    /// <param name="State">The state that it holds.</param>
    /// <param name="Error">Why it could not be written; null where it is there.</param>
    /// <param name="Notice">What went wrong besides and does no harm.</param>
    internal sealed record Written(string Folder, TrainerState State, AttuneException? Error = null, string? Notice = null);

    /// <summary>About how many bytes a checkpoint has.</summary>
    internal long Bytes => sizeof(float) *
        (trainer.Model.WeightsOfFiles.Sum(weight => weight.NumberOfElements) + (trainer.Args.SaveOnlyModel ? 0 : OptimizerState.Of(optimizer, averaged).Tensors.Sum(tensor => tensor.Count == optimizer.Trained.Count ? optimizer.Trained.Total : tensor.Count)));

    /// <summary>Takes the present state for a checkpoint. The one before must have been asked for by <see cref="Finished"/>.</summary>
    /// <param name="state">Of the trainer.</param>
    /// <param name="resume">What an exact continuation needs besides.</param>
    /// <param name="atOnce">Whether nothing is trained meanwhile, so that it is written here and now.</param>
    /// <param name="shared">The optimizer's state where several processes keep parts of it; null where this one has all.</param>
    internal void Begin(TrainerState state, ResumeState resume, bool atOnce, SharedState? shared = null)
    {
        if (_running is not null) throw new InvalidOperationException("the checkpoint before is not dealt with");
        using var shown = averaged?.Show();                                 // the average is the model, and the weights that are trained belong to the state
        state = state.Copy();
        var weights = trainer.Model.BlocksOfFiles();
        var moments = trainer.Args.SaveOnlyModel ? null : OptimizerState.Of(optimizer, averaged);
        if (shared is not null) moments = moments?.With(shared.Tensors);
        List<(nint Address, long Count)> live = [.. weights.Select(block => (block.Address, block.Count)), .. (moments?.Tensors ?? []).Select(tensor => (tensor.Address, tensor.Count))];
        var (bytes, environment) = (Bytes, RunEnvironment.Current with { WorldSize = trainer.Args.WorldSize });
        if (atOnce || bytes <= WrittenAtOnceBytes || Copy(live) is not { } copies)
        {
            _running = Task.FromResult(Write(weights, moments));
            return;
        }
        _running = BackgroundThread.Start(
            () => Write([.. weights.Zip(copies, (block, address) => block.At(address))], moments?.At(copies.Skip(weights.Count))));

        Written Write(IReadOnlyList<WeightBlock> weights, OptimizerState? optimizerState)
        {
            var folder = CheckpointFiles.Folder(trainer.Args.OutputDir, state.GlobalStep);
            try
            {
                Checkpoint.Write(folder, fresh =>
                {
                    trainer.SaveModel(fresh, weights);
                    optimizerState?.Write(fresh);
                    resume.Write(fresh);
                    TrainerStateJson.Write(state, fresh);
                }, bytes + BytesOfSmallFiles, environment);
            }
            catch (AttuneException e)
            {
                return new Written(folder, state, e);
            }
            return new Written(folder, state, Notice: Rotate(state));
        }
    }

    /// <summary>The checkpoint that was begun last, once, when it is written; null where there is none, or it is still being written.</summary>
    /// <param name="wait">Whether to wait for it.</param>
    internal Written? Finished(bool wait)
    {
        if (_running is not { } running || !wait && !running.IsCompleted) return null;
        _running = null;
        return running.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        if (_running is { } running) Task.WaitAny(running);                 // it reads the copy
        _copy.Dispose();
    }

    private IReadOnlyList<nint>? Copy(IReadOnlyList<(nint Address, long Count)> live)
    {
        var copies = _copy.Take(live);
        if (copies is null && !_saidSo) trainer.Notice("There is no memory for a copy of the state, so training waits while a checkpoint is written.");
        _saidSo |= copies is null;
        return copies;
    }

    private string? Rotate(TrainerState state)
    {
        try
        {
            CheckpointRotation.Rotate(trainer.Args.OutputDir, trainer.Args.SaveTotalLimit, state.GlobalStep,
                [state.BestModelCheckpoint, .. ModelSoup.Folders(trainer.Args, state)]);
            return null;
        }
        catch (AttuneException e)
        {
            return e.Message;                                              // one checkpoint too many is no reason to stop
        }
    }
}
