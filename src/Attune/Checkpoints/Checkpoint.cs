using Attune.Formats;

namespace Attune.Checkpoints;

/// <summary>Checkpoint folders: written whole or not at all, and found again.</summary>
internal static class Checkpoint
{
    private const string UnfinishedSuffix = ".tmp", ReplacedSuffix = ".old";

    /// <summary>Lets <paramref name="fill"/> write the files of a new folder beside its place, then renames it.</summary>
    /// <param name="folder">The checkpoint; one that is there already is replaced.</param>
    /// <param name="fill">Writes into the folder that it is given. Each file must be on the disk when it returns.</param>
    /// <exception cref="AttuneException">The folder cannot be written or the disk is full; nothing else is touched.</exception>
    internal static void Write(string folder, Action<string> fill)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        var fresh = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}{UnfinishedSuffix}");
        try
        {
            Directory.CreateDirectory(fresh);
            fill(fresh);
            AtomicFile.FlushFolder(fresh);
            Replace(folder, fresh, Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}{ReplacedSuffix}"));
            AtomicFile.FlushFolder(parent);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(folder, e);
        }
        catch (AttuneException e) when (e.InnerException is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(folder, e.InnerException);          // of a file in the new folder, whose name says nothing to the user
        }
        finally
        {
            TryDelete(fresh);
        }
    }

    /// <summary>The folder that <c>resume_from_checkpoint</c> means.</summary>
    /// <param name="wanted">A folder; <c>true</c> for the newest checkpoint of the run; <c>auto</c> for the same where there is one; null or <c>false</c> for none.</param>
    /// <param name="outputDir">Folder of the run.</param>
    /// <returns>Null where the run starts anew.</returns>
    /// <exception cref="AttuneException">There is no such checkpoint.</exception>
    internal static string? Find(string? wanted, string outputDir)
    {
        if (wanted is null || wanted.Equals("false", StringComparison.OrdinalIgnoreCase)) return null;
        if (wanted.Equals("auto", StringComparison.OrdinalIgnoreCase)) return CheckpointFiles.Newest(outputDir);
        if (wanted.Equals("true", StringComparison.OrdinalIgnoreCase))
            return CheckpointFiles.Newest(outputDir)
                ?? throw new AttuneException($"{outputDir} has no checkpoint to resume from; leave out resume_from_checkpoint to start anew, or give auto, which does what fits.");
        if (!File.Exists(Path.Combine(wanted, CheckpointFiles.TrainerState)))
            throw new AttuneException(
                $"{wanted} is no checkpoint: it has no {CheckpointFiles.TrainerState}; give a folder checkpoint-N, or true for the newest in output_dir.");
        return wanted;
    }

    /// <summary>
    /// Clears a run's folder of what a process that was killed left: unfinished checkpoints go, and one that was just being replaced comes back.
    /// </summary>
    /// <param name="outputDir">Folder of the run; may be missing.</param>
    internal static void CleanUp(string outputDir)
    {
        if (!Directory.Exists(outputDir)) return;
        foreach (var folder in Directory.EnumerateDirectories(outputDir, ".*").ToList())
        {
            var name = Path.GetFileName(folder);
            if (name.StartsWith(CheckpointRotation.TrashPrefix, StringComparison.Ordinal) || IsBeside(name, UnfinishedSuffix)) TryDelete(folder);
            if (!IsBeside(name, ReplacedSuffix)) continue;
            var place = Path.Combine(outputDir, name[1..name.IndexOf('.', 1)]);
            if (Directory.Exists(place)) TryDelete(folder);
            else Directory.Move(folder, place);
        }
    }

    /// <summary>Whether a name is that of a folder beside a checkpoint: .checkpoint-N.GUID and the suffix.</summary>
    private static bool IsBeside(string name, string suffix) => name.EndsWith(suffix, StringComparison.Ordinal)
        && name.Split('.') is ["", var checkpoint, _, _] && CheckpointFiles.Step(checkpoint) is not null;

    /// <summary>Renames a new folder to its place. At no moment is there neither the old one nor the new one under some name.</summary>
    private static void Replace(string folder, string fresh, string replaced)
    {
        if (!Directory.Exists(folder))
        {
            Directory.Move(fresh, folder);
            return;
        }
        Directory.Move(folder, replaced);
        try
        {
            Directory.Move(fresh, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Directory.Move(replaced, folder);
            throw;
        }
        TryDelete(replaced);
    }

    private static void TryDelete(string folder)
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left over, as its name says; the next run in this folder tries again.
        }
    }
}
