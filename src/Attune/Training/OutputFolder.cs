using Attune.Checkpoints;
using Attune.Formats;
using Attune.Models;

namespace Attune.Training;

/// <summary>The folder of a run: not another run's, and writable, before anything is computed.</summary>
public static class OutputFolder
{
    private static readonly string[] Results = [CheckpointFiles.TrainerState, CheckpointFiles.Weights, CheckpointFiles.Adapter, CheckpointFiles.AdapterConfig, CheckpointFiles.AllResults];

    /// <summary>Creates the folder where it is missing, and clears it of an earlier run where that is asked for.</summary>
    /// <param name="args">Name the folder and say whether it may be overwritten.</param>
    /// <param name="checkpoint">From <see cref="Check"/>.</param>
    /// <returns>Keeps other processes from training into the folder as long as it is not disposed.</returns>
    /// <exception cref="AttuneException">Another process trains into the folder, or it cannot be written.</exception>
    internal static IDisposable Prepare(TrainingArguments args, string? checkpoint)
    {
        ArgumentNullException.ThrowIfNull(args);
        try
        {
            Directory.CreateDirectory(args.OutputDir);
            // A file can be created, so checkpoints can: better known now than after an hour of training.
            var ours = FolderLock.Take(args.OutputDir);
            try
            {
                if (!IsContinued(args, checkpoint) && args.OverwriteOutputDir) RemoveRun(args.OutputDir);
                return ours;
            }
            catch
            {
                ours.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(args.OutputDir, e);
        }
    }

    /// <summary>Finds the checkpoint to go on from, and refuses a folder that holds another run; what a killed process left is cleared away.</summary>
    /// <param name="args">Name the folder and say whether it may be overwritten.</param>
    /// <param name="wanted">As <see cref="TrainingArguments.ResumeFromCheckpoint"/>.</param>
    /// <param name="notice">Is told which damaged checkpoints are passed over.</param>
    /// <returns>The checkpoint; null where the run starts anew.</returns>
    /// <exception cref="AttuneException">The folder holds another run, or there is no such checkpoint.</exception>
    public static string? Check(TrainingArguments args, string? wanted, Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (string.IsNullOrWhiteSpace(args.OutputDir)) throw new AttuneException("output_dir is empty; name a folder.");
        CleanUp(args.OutputDir);
        var checkpoint = Checkpoint.Find(wanted, args.OutputDir, notice ?? (_ => { }));
        RequireOwn(args, checkpoint);
        return checkpoint;
    }

    /// <summary>Refuses a folder that holds another run.</summary>
    /// <param name="args">Name the folder and say whether it may be overwritten.</param>
    /// <param name="checkpoint">The checkpoint to go on from, or null.</param>
    /// <exception cref="AttuneException">It does.</exception>
    internal static void RequireOwn(TrainingArguments args, string? checkpoint)
    {
        if (IsContinued(args, checkpoint) || args.OverwriteOutputDir) return;
        if (Results.FirstOrDefault(file => File.Exists(Path.Combine(args.OutputDir, file))) is { } found)
            throw new AttuneException(
                $"{args.OutputDir} holds a finished run ({found}); choose another --output-dir, or give --overwrite-output-dir to replace it.");
        if (CheckpointFiles.Newest(args.OutputDir) is { } unfinished)
            throw new AttuneException(
                $"{args.OutputDir} holds an unfinished run ({Path.GetFileName(unfinished)}); give --resume-from-checkpoint true to go on with it, or --overwrite-output-dir to start anew.");
    }

    /// <summary>Refuses to train an adapter into the folder of the model that it belongs to, or of a run that holds that model: without it the adapter is worth nothing.</summary>
    /// <param name="args">Name the folder.</param>
    /// <param name="baseModel">The model that the adapter belongs to: a folder or a name of the hub; null where it is not known.</param>
    /// <exception cref="AttuneException">It is that folder.</exception>
    internal static void RequireNotBase(TrainingArguments args, string? baseModel)
    {
        if (!args.HasAdapter || string.IsNullOrWhiteSpace(baseModel)) return;
        if (WouldReplace(args, baseModel)) throw new AttuneException(
            $"output_dir is {args.OutputDir}, but {baseModel} is the model that the adapter belongs to and would be replaced; choose another --output-dir.");
    }

    /// <summary>Whether a run would write where a model lies: in its folder, or in that of the run whose checkpoint it is.</summary>
    internal static bool WouldReplace(TrainingArguments args, string model)
    {
        var (path, folder) = (Full(model), Full(args.OutputDir));
        return path == folder || CheckpointFiles.Step(path) is not null && Path.GetDirectoryName(path) == folder;
    }

    /// <summary>The whole path of a folder, by which two spellings of it are one.</summary>
    internal static string Full(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private static void RemoveRun(string outputDir)
    {
        foreach (var folder in CheckpointFiles.All(outputDir)) CheckpointRotation.Remove(folder);
        foreach (var file in (string[])[.. Results, CheckpointFiles.EvalPredictions, CheckpointFiles.TestPredictions]) File.Delete(Path.Combine(outputDir, file));
        if (Path.Combine(outputDir, CheckpointFiles.AdapterFolder) is var adapter && AdapterFolder.Is(adapter)) Directory.Delete(adapter, recursive: true);
        // An exported model is of the weights that go: who finds it would take it for the new ones.
        foreach (var pattern in new[] { CheckpointFiles.Results("*"), "model*.onnx", "model*.onnx_data" })
            foreach (var file in Directory.EnumerateFiles(outputDir, pattern).ToList()) File.Delete(file);
    }

    /// <summary>Only where no other process trains into the folder: what it is just writing is not left over.</summary>
    private static void CleanUp(string folder)
    {
        if (!Directory.Exists(folder)) return;
        try
        {
            using var ours = FolderLock.Take(folder);
            Checkpoint.CleanUp(folder);
        }
        catch (Exception e) when (e is AttuneException or IOException or UnauthorizedAccessException)
        {
            // In use, or not ours to write: Prepare says so where it matters.
        }
    }

    /// <summary>Whether the run in the folder is the one that goes on; a checkpoint of another folder starts a new run in this one.</summary>
    private static bool IsContinued(TrainingArguments args, string? checkpoint)
    {
        if (checkpoint is null) return false;
        var folder = Full(checkpoint);
        if (Path.GetDirectoryName(folder) == Full(args.OutputDir)) return true;
        // The same folder under another name, by a link: what is gone on from must not be removed.
        var here = Path.Combine(args.OutputDir, Path.GetFileName(folder), CheckpointFiles.TrainerState);
        return File.Exists(here) && File.ReadAllBytes(here).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder, CheckpointFiles.TrainerState)));
    }
}
