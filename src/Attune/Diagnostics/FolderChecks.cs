using System.Globalization;
using Attune.Formats;

namespace Attune.Diagnostics;

/// <summary>Where results and downloads go.</summary>
internal static class FolderChecks
{
    /// <summary>A checkpoint of BERT-base with its optimizer; two of them are there while the older one is replaced.</summary>
    private const long EnoughSpace = 3L << 30;

    internal static Check Writable(string name, string folder)
    {
        try
        {
            using (File.Create(Path.Combine(folder, $".attune-{Guid.NewGuid():N}.tmp"), 1, FileOptions.DeleteOnClose))
            {
                // That it could be created is the answer.
            }
            return Check.Ok(name, $"{folder} can be written");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Check.Broken(name, $"{folder} cannot be written: {e.Message}", "Change its permissions, or give another folder by --output-dir.");
        }
    }

    internal static Check Space(string folder)
    {
        const string name = "Disk";
        long free;
        try
        {
            free = NearestFolder.FreeBytes(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Check.Warning(
                name, $"the free space of {folder} is unknown: {e.Message}", "Make sure that there are some 3 GB for checkpoints of BERT-base.");
        }
        var found = string.Create(CultureInfo.InvariantCulture, $"{free / (double)(1L << 30):0.0} GiB free in {folder}");
        return free >= EnoughSpace ? Check.Ok(name, found)
            : Check.Warning(
                name, found, "Two checkpoints of BERT-base need about 3 GB; free some space, or give --save-total-limit 1 and --save-only-model.");
    }

    /// <summary>The cache of tokenized texts; without it the command works all the same.</summary>
    internal static Check TokenCache(string folder)
    {
        const string name = "Token cache";
        var existing = NearestFolder.Of(folder);
        return Writable(name, existing).Status == CheckStatus.Ok ? Check.Ok(name, folder == existing ? folder : $"{folder} (not there yet)")
            : Check.Warning(name, $"{folder}: {existing} cannot be written", "Data files are then tokenized anew each time; name a folder of your own by ATTUNE_CACHE.");
    }

    /// <summary>The cache of the Hugging Face hub; where it does not exist, the nearest folder above it that does.</summary>
    internal static Check Cache(string folder)
    {
        const string name = "Hub cache";
        var existing = Directory.Exists(folder) ? folder : NearestFolder.Of(folder);
        var writable = Writable(name, existing);
        if (writable.Status != CheckStatus.Ok)
            return Check.Warning(name, $"{folder}: {existing} cannot be written",
                "Models can be read from it, but not downloaded into it; set HF_HOME to a folder of your own.");
        if (existing != folder) return Check.Ok(name, $"{folder} (not there yet)");
        var repos = Directory.EnumerateDirectories(folder).Count(repo => Path.GetFileName(repo).StartsWith("models--", StringComparison.Ordinal));
        return Check.Ok(name, $"{folder} ({repos} {(repos == 1 ? "model" : "models")})");
    }
}
