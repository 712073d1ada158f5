using Attune.Checkpoints;
using Attune.Formats;

namespace Attune.Training;

/// <summary>The folder of a run: not another run's, and writable, before anything is computed.</summary>
public static class OutputFolder
{
    private static readonly string[] Results = [CheckpointFiles.TrainerState, CheckpointFiles.Weights, CheckpointFiles.AllResults];

    /// <summary>Creates the folder where it is missing, and clears it of an earlier run where that is asked for.</summary>
    /// <param name="args">Name the folder and say whether it may be overwritten.</param>
    /// <param name="isResumed">Whether the run goes on from a checkpoint.</param>
    /// <exception cref="AttuneException">The folder holds another run, or cannot be written.</exception>
    public static void Prepare(TrainingArguments args, bool isResumed)
    {
        ArgumentNullException.ThrowIfNull(args);
        Check(args, isResumed);
        try
        {
            Directory.CreateDirectory(args.OutputDir);
            using (File.Create(Path.Combine(args.OutputDir, $".{Guid.NewGuid():N}.tmp"), 1, FileOptions.DeleteOnClose))
            {
                // A file can be created, so checkpoints can: better known now than after an hour of training.
            }
            if (isResumed || !args.OverwriteOutputDir) return;
            foreach (var folder in CheckpointFiles.All(args.OutputDir)) CheckpointRotation.Remove(folder);
            foreach (var file in Results) File.Delete(Path.Combine(args.OutputDir, file));
            foreach (var file in Directory.EnumerateFiles(args.OutputDir, CheckpointFiles.Results("*")).ToList()) File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(args.OutputDir, e);
        }
    }

    /// <summary>Refuses a folder that holds another run; nothing is written.</summary>
    /// <param name="args">Name the folder and say whether it may be overwritten.</param>
    /// <param name="isResumed">Whether the run goes on from a checkpoint.</param>
    /// <exception cref="AttuneException">The folder holds another run.</exception>
    public static void Check(TrainingArguments args, bool isResumed)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (isResumed || args.OverwriteOutputDir) return;
        if (Results.FirstOrDefault(file => File.Exists(Path.Combine(args.OutputDir, file))) is { } found)
            throw new AttuneException(
                $"{args.OutputDir} holds a finished run ({found}); choose another --output-dir, or give --overwrite-output-dir to replace it.");
        if (CheckpointFiles.Newest(args.OutputDir) is { } checkpoint)
            throw new AttuneException(
                $"{args.OutputDir} holds an unfinished run ({Path.GetFileName(checkpoint)}); give --resume-from-checkpoint true to go on with it, or --overwrite-output-dir to start anew.");
    }
}
