using System.Globalization;
using Attune.Hub;
using Attune.Formats;

namespace Attune.Cli;

/// <summary>How far a download or an upload is: on a terminal one line that is drawn over, elsewhere one plain line for each file.</summary>
/// <param name="terminal">Shows it.</param>
/// <param name="clock">For the rate.</param>
/// <param name="what">Downloading, with a repository, or the like.</param>
internal sealed class TransferLine(Terminal terminal, TimeProvider clock, string what = "Downloading")
{
    private static readonly TimeSpan BetweenDrawings = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<RepoFile, long> _first = [];
    private long _start, _drawn, _atStart;
    private (string Repo, int Files, long Bytes)? _begun;

    internal void Show(TransferProgress now)
    {
        if (_begun != (now.Repo, now.Files, now.Bytes))
        {
            (_begun, _start) = ((now.Repo, now.Files, now.Bytes), clock.GetTimestamp());
            _first.Clear();
            terminal.Tell($"{what} the {now.Repo}: {now.Files} {(now.Files == 1 ? "file" : "files")}, {ByteSize.Words(now.Bytes)}.");
        }
        // What earlier runs had fetched is no measure of how fast it goes now.
        if (_first.TryAdd(now.File, now.BytesDone)) _atStart = now.BytesDone;
        if (now.IsFileDone && !terminal.IsLive) terminal.Tell($"{now.File.Path}  {ByteSize.Words(now.File.Size)}");
        if (!terminal.IsLive || _drawn != 0 && clock.GetElapsedTime(_drawn) < BetweenDrawings) return;
        _drawn = clock.GetTimestamp();
        terminal.Status(Live(now, (now.BytesDone - _atStart) / Math.Max(1e-3, clock.GetElapsedTime(_start).TotalSeconds), terminal.Width - 1));
    }

    /// <summary>As much as fits into so many columns.</summary>
    internal static string Live(TransferProgress now, double bytesPerSecond, int columns)
    {
        var share = now.Bytes == 0 ? 1 : (double)now.BytesDone / now.Bytes;
        string[] parts =
        [
            now.File.Name,
            $"{now.FilesDone}/{now.Files} files",
            string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 100):0} %"),
            $"{ByteSize.Words(now.BytesDone)} of {ByteSize.Words(now.Bytes)}",
            bytesPerSecond > 0 ? $"{ByteSize.Words(bytesPerSecond)}/s" : "",
            bytesPerSecond > 0 ? $"{ProgressLine.Duration(TimeSpan.FromSeconds(Math.Min(1e6, (now.Bytes - now.BytesDone) / bytesPerSecond)))} left" : "",
        ];
        // The name and the rate go first where there is little room; what is done stays.
        foreach (var dropped in new[] { 4, 0, 5, 1, 3 })
        {
            if (Length(parts) <= columns) break;
            parts[dropped] = "";
        }
        return string.Join("  ", parts.Where(part => part.Length > 0));
    }

    private static int Length(string[] parts) => parts.Sum(part => part.Length == 0 ? 0 : part.Length + 2) - 2;
}
