using System.Globalization;
using Attune.Formats;
using Attune.Hub;

namespace Attune.Diagnostics;

/// <summary>The clock: with a wrong one certificates are refused, tokens of the hub have run out, and the newest file is not the newest.</summary>
internal static class ClockChecks
{
    private const string Name = "Clock";

    /// <summary>Compares the clock with that of the file system, which is another machine's on a network drive, and with the age of this program.</summary>
    /// <param name="folder">A file is made in it and deleted; where that cannot be, only the program's age counts.</param>
    /// <param name="clock">This machine's.</param>
    internal static Check Clock(string folder, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        if (FileTime(folder) is { } written && ClockSkew.Words(now, written) is { } skew)
            return Check.Warning(Name, $"it is {skew} that of the file system of {folder}", ClockSkew.Remedy);
        return Built() is { } built && built - now > ClockSkew.Tolerance
            ? Check.Warning(Name, string.Create(CultureInfo.InvariantCulture, $"it says {now:yyyy-MM-dd HH:mm} UTC, which is before this program was built"), ClockSkew.Remedy)
            : Check.Ok(Name, string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-dd HH:mm} UTC"));
    }

    private static DateTimeOffset? FileTime(string folder)
    {
        try
        {
            var file = Path.Combine(NearestFolder.Of(folder), $".attune-{Guid.NewGuid():N}.tmp");
            using var made = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            made.WriteByte(0);
            made.Flush();
            return File.GetLastWriteTimeUtc(made.SafeFileHandle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;                                       // said by another check
        }
    }

    private static DateTimeOffset? Built()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Attune.dll");
        return File.Exists(program) ? File.GetLastWriteTimeUtc(program) : null;
    }
}
