using System.Text;
using Attune.Checkpoints;
using Attune.Distributed;
using Attune.Native;

namespace Attune.Training;

/// <summary>Files that the first process finds and reads for all, so that none of them sees anything else.</summary>
internal static class SharedFiles
{
    /// <summary>The checkpoint to go on from, as <see cref="OutputFolder.Check"/> finds it.</summary>
    /// <exception cref="AttuneException">As there; or another process does not see the checkpoint.</exception>
    internal static string? Checkpoint(Communicator processes, TrainingArguments args, string? wanted, Action<string> notice)
    {
        var found = processes.IsFirst ? OutputFolder.Check(args, wanted, notice) : null;
        var said = Encoding.UTF8.GetString(processes.GatherAll(Encoding.UTF8.GetBytes(found ?? ""), Communicator.Long)[0]);
        if (said.Length == 0) return null;
        return Directory.Exists(said) ? said : throw new AttuneException(
            $"{said} cannot be seen by {processes.NameOf(processes.Rank)}; to resume, output_dir must be on a disk that all machines share.");
    }

    /// <summary>Puts the weights of a checkpoint into the models of all.</summary>
    /// <exception cref="AttuneException">It lacks weights, or they are of another model.</exception>
    internal static unsafe void LoadWeights(Trainer trainer, string folder)
    {
        var processes = trainer.Processes;
        var problem = processes.IsFirst ? Problem(trainer, folder) : null;
        if (Encoding.UTF8.GetString(processes.GatherAll(Encoding.UTF8.GetBytes(problem?.Message ?? ""), Communicator.Long)[0]) is { Length: > 0 } said)
            throw problem ?? new AttuneException(said);
        var values = trainer.Model.Weights.Values;
        var ofFirst = new Shards([0, .. Enumerable.Repeat(trainer.Model.Weights.Count, processes.Size)]);
        processes.CollectParts((nint)LibTorch.Floats(values), ofFirst).GetAwaiter().GetResult();
    }

    /// <summary>What the first process decides.</summary>
    internal static bool Decide(Communicator processes, Func<bool> first) =>
        processes.GatherAll(processes.IsFirst && first() ? [1] : [0], Communicator.Long)[0][0] == 1;

    /// <summary>Waits until all are here, however long one of them writes.</summary>
    internal static void WaitForAll(Communicator processes) => _ = processes.GatherAll([], Communicator.Long);

    private static AttuneException? Problem(Trainer trainer, string folder)
    {
        try
        {
            LoopCheckpoint.LoadWeights(trainer.Model, folder);
            return null;
        }
        catch (AttuneException e)
        {
            return e;
        }
    }
}
