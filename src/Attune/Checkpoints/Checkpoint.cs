using Attune.Formats;

namespace Attune.Checkpoints;

/// <summary>Checkpoint folders: written whole or not at all, and found again.</summary>
internal static class Checkpoint
{
    /// <summary>Lets <paramref name="fill"/> write the files of a new folder beside its place, then renames it.</summary>
    /// <param name="folder">The checkpoint; one that is there already is replaced.</param>
    /// <param name="fill">Writes into the folder that it is given. Each file must be on the disk when it returns.</param>
    /// <exception cref="AttuneException">The folder cannot be written or the disk is full; nothing else is touched.</exception>
    internal static void Write(string folder, Action<string> fill)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        var fresh = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(fresh);
            fill(fresh);
            AtomicFile.FlushFolder(fresh);
            if (Directory.Exists(folder)) CheckpointRotation.Remove(folder);
            Directory.Move(fresh, folder);
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
    /// <param name="wanted">A folder, or <c>true</c> for the newest checkpoint of the run.</param>
    /// <param name="outputDir">Folder of the run.</param>
    /// <exception cref="AttuneException">There is no such checkpoint.</exception>
    internal static string Find(string wanted, string outputDir)
    {
        if (wanted.Equals("true", StringComparison.OrdinalIgnoreCase))
            return CheckpointFiles.Newest(outputDir)
                ?? throw new AttuneException($"{outputDir} has no checkpoint to resume from; leave out resume_from_checkpoint to start anew.");
        if (!File.Exists(Path.Combine(wanted, CheckpointFiles.TrainerState)))
            throw new AttuneException(
                $"{wanted} is no checkpoint: it has no {CheckpointFiles.TrainerState}; give a folder checkpoint-N, or true for the newest in output_dir.");
        return wanted;
    }

    private static void TryDelete(string folder)
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to report; the folder's name says that it is left over.
        }
    }
}
