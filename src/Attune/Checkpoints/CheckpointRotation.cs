namespace Attune.Checkpoints;

/// <summary>Which checkpoints of a run go when <c>save_total_limit</c> is reached.</summary>
internal static class CheckpointRotation
{
    /// <summary>How the names of folders begin that are about to be deleted.</summary>
    internal const string TrashPrefix = ".trash-";

    /// <summary>Deletes the oldest checkpoints down to the limit. The newest and those to be kept always stay, also where the limit is 1.</summary>
    /// <param name="outputDir">Folder of the run.</param>
    /// <param name="limit">How many to keep; null, 0 and less: all.</param>
    /// <param name="newest">Step of the one written last.</param>
    /// <param name="kept">Folders to be kept: the best one, and others that are wanted at the end; or null.</param>
    internal static void Rotate(string outputDir, int? limit, long newest, params IReadOnlyCollection<string?> kept)
    {
        if (limit is not > 0) return;
        // Higher numbers were left by an earlier continuation from the same checkpoint: they are the first to go.
        var oldestFirst = CheckpointFiles.All(outputDir).OrderByDescending(folder => CheckpointFiles.Step(folder) > newest).ToList();
        var protectedOnes = oldestFirst.Where(folder => CheckpointFiles.Step(folder) == newest || kept.Any(one => IsSame(folder, one))).ToList();
        var excess = oldestFirst.Count - Math.Max(limit.Value, protectedOnes.Count);
        foreach (var folder in oldestFirst.Except(protectedOnes).Take(excess).ToList()) Remove(folder);
    }

    /// <summary>Deletes a folder so that a crash in the middle leaves nothing that looks like a checkpoint.</summary>
    internal static void Remove(string folder)
    {
        var trash = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder))!, $"{TrashPrefix}{Guid.NewGuid():N}");
        try
        {
            Directory.Move(folder, trash);
            Directory.Delete(trash, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{folder} cannot be removed: {e.Message} Remove it, or raise save_total_limit.", e);
        }
    }

    private static bool IsSame(string folder, string? other) => other is not null && Path.GetFullPath(folder) == Path.GetFullPath(other);
}
