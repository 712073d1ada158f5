using Attune.Formats;

namespace Attune.Checkpoints;

/// <summary>Checkpoint folders: written whole or not at all, and found again.</summary>
internal static class Checkpoint
{
    private const string UnfinishedSuffix = ".tmp", ReplacedSuffix = ".old";

    /// <summary>
    /// Lets <paramref name="fill"/> write the files of a new folder beside its place, adds the manifest, then renames the folder. Before the
    /// rename there is no checkpoint, after it there is a whole one.
    /// </summary>
    /// <param name="folder">The checkpoint; one that is there already is replaced.</param>
    /// <param name="fill">Writes into the folder that it is given. Each file must be on the disk when it returns.</param>
    /// <param name="bytes">About how many bytes it will have; where they do not fit on the disk nothing is written.</param>
    /// <param name="environment">For the manifest.</param>
    /// <exception cref="AttuneException">The folder cannot be written or the disk is full; nothing else is touched.</exception>
    internal static void Write(string folder, Action<string> fill, long bytes = 0, RunEnvironment? environment = null)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        var fresh = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}{UnfinishedSuffix}");
        try
        {
            RequireSpace(folder, bytes);
            Directory.CreateDirectory(fresh);
            using (var sums = new FileSums())
            {
                fill(fresh);
                CheckpointManifest.Write(fresh, CheckpointFiles.Step(folder) ?? 0, environment, sums);
            }
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

    /// <summary>The folder that <c>resume_from_checkpoint</c> means. Every file of it has been compared with its manifest.</summary>
    /// <param name="wanted">
    /// A folder; <c>true</c> for the newest whole checkpoint of the run; <c>auto</c> for the same where there is one; null, <c>never</c> or
    /// <c>false</c> for none.
    /// </param>
    /// <param name="outputDir">Folder of the run.</param>
    /// <param name="notice">Is told which damaged checkpoints are passed over.</param>
    /// <returns>Null where the run starts anew.</returns>
    /// <exception cref="AttuneException">There is no such checkpoint, or it is damaged.</exception>
    internal static string? Find(string? wanted, string outputDir, Action<string> notice)
    {
        switch (wanted?.ToLowerInvariant())
        {
            case null or "never" or "false": return null;
            case "auto": return NewestWhole(outputDir, notice);
            case "true":
                return NewestWhole(outputDir, notice) ?? throw new AttuneException(
                    $"{outputDir} has no checkpoint to resume from; leave out resume_from_checkpoint to start anew, or give auto, which does what fits.");
        }
        if (!File.Exists(Path.Combine(wanted, CheckpointFiles.TrainerState)))
            throw new AttuneException(
                $"{wanted} is no checkpoint: it has no {CheckpointFiles.TrainerState}; give a folder checkpoint-N, or true for the newest in output_dir.");
        return Problem(wanted) is { } problem ? throw new AttuneException($"{problem}; resume from another checkpoint.") : wanted;
    }

    private static string? NewestWhole(string outputDir, Action<string> notice)
    {
        var problems = new List<string>();
        foreach (var folder in CheckpointFiles.All(outputDir).Reverse())
        {
            if (Problem(folder) is { } problem) problems.Add(problem);
            else
            {
                foreach (var one in problems) notice($"A damaged checkpoint is passed over: {one}.");
                return folder;
            }
        }
        return problems.Count == 0 ? null : throw new AttuneException(
            $"No checkpoint in {outputDir} is whole ({string.Join("; ", problems)}); put back what is missing, or leave out resume_from_checkpoint and give --overwrite-output-dir to start anew.");
    }

    /// <summary>What is wrong with a checkpoint. Those of transformers have no manifest; what they hold is checked when it is read.</summary>
    private static string? Problem(string folder)
    {
        string[] own = [CheckpointFiles.Manifest, CheckpointFiles.ResumeState, CheckpointFiles.Optimizer];
        if (own.Any(file => File.Exists(Path.Combine(folder, file)))) return CheckpointManifest.Problem(folder);
        var state = Path.Combine(folder, CheckpointFiles.TrainerState);
        return File.Exists(state) ? null : $"{state} is missing";
    }

    /// <summary>Makes sure that there is room for a checkpoint.</summary>
    /// <param name="folder">Its place.</param>
    /// <param name="bytes">About how many bytes it will have.</param>
    /// <exception cref="AttuneException">The disk has less.</exception>
    internal static void RequireSpace(string folder, long bytes)
    {
        var needed = bytes + bytes / 10;
        if (NearestFolder.TryFreeBytes(folder) is { } free && free < needed)
            throw new AttuneException(
                $"{folder} cannot be written: it needs {ByteSize.Words(needed)}, and its disk has {ByteSize.Words(free)}; free some space or choose another folder.");
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
        AtomicFile.FlushFolder(Path.GetDirectoryName(fresh)!);             // the new one must be in its place before the old one goes
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
