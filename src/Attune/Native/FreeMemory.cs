using System.Globalization;

namespace Attune.Native;

/// <summary>How much memory this process can still take: the least of what the machine has free and what its container or control group allows.</summary>
internal static class FreeMemory
{
    internal static long Bytes()
    {
        if (!OperatingSystem.IsLinux()) return OfRuntime();
        var machine = Number("/proc/meminfo", "MemAvailable:") * 1024;
        var group = OfGroups("/sys/fs/cgroup", "/proc/self/cgroup");
        return Math.Max(0, Math.Min(Math.Min(machine ?? long.MaxValue, group ?? long.MaxValue), Limit() - Environment.WorkingSet));
    }

    /// <summary>The least that the process's control groups have left; null where none has a limit. What the kernel caches of files it gives back.</summary>
    /// <param name="root">Where the groups are mounted.</param>
    /// <param name="ownGroups">The file that names the process's.</param>
    internal static long? OfGroups(string root, string ownGroups)
    {
        long? least = null;
        if (!File.Exists(ownGroups)) return null;
        foreach (var line in File.ReadLines(ownGroups))
        {
            if (line.Split(':', 3) is not [_, var controllers, var path]) continue;
            var (mount, limit, usage, cache) = controllers switch
            {
                "" => (root, "memory.max", "memory.current", "inactive_file"),
                _ when controllers.Split(',').Contains("memory") =>
                    (Path.Combine(root, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
                _ => ("", "", "", ""),
            };
            if (mount.Length == 0) continue;
            // A group has at most what those above it leave. In a container the path may be the host's, of which only the root is there.
            for (var group = Path.Join(mount, path); group.Length >= mount.Length; group = Path.GetDirectoryName(group)!)
            {
                if (Number(Path.Combine(group, limit), "") is not { } most || Number(Path.Combine(group, usage), "") is not { } used) continue;
                var free = most - used + (Number(Path.Combine(group, "memory.stat"), cache + " ") ?? 0);
                least = Math.Min(least ?? long.MaxValue, free);
            }
        }
        return least;
    }

    /// <summary>Where the system says nothing more: what the runtime found at its last collection.</summary>
    private static long OfRuntime()
    {
        GC.Collect();
        return Math.Max(0, Limit() - GC.GetGCMemoryInfo().MemoryLoadBytes);
    }

    private static long Limit() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The number after a word at the start of a line; null where there is none ("max" for no limit).</summary>
    private static long? Number(string file, string word)
    {
        try
        {
            var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(word, StringComparison.Ordinal));
            var text = line?[word.Length..].Trim().Split(' ')[0];
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
