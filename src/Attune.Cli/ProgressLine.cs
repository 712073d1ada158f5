using System.Globalization;
using Attune.Formats;

namespace Attune.Cli;

/// <summary>What a progress line says.</summary>
internal sealed record Progress(
    long Epoch, long Epochs, long Step, long Steps, double Loss, double LearningRate, double TokensPerSecond, TimeSpan Remaining);

/// <summary>Progress as one line, as much of it as fits.</summary>
internal static class ProgressLine
{
    private const int LongestBar = 30, ShortestBar = 5, PartsBeforeBar = 4;

    /// <summary>Everything, for a file or a pipe.</summary>
    internal static string Plain(Progress now) => string.Join("  ", Parts(now));

    /// <summary>For a terminal of so many columns: on a narrow one first the rates make room for a short bar, then the bar goes, then other parts.</summary>
    internal static string Live(Progress now, int columns)
    {
        var parts = Parts(now);
        string[] byImportance = [parts[0], parts[1], parts[2], parts[5], parts[4], parts[3]];
        var shown = byImportance.Length;
        while (shown > PartsBeforeBar && Length(byImportance.Take(shown)) + 2 + ShortestBar > columns) shown--;
        while (shown > 1 && Length(byImportance.Take(shown)) > columns) shown--;
        var kept = parts.Where(part => byImportance.Take(shown).Contains(part)).ToList();
        var room = Math.Min(LongestBar, columns - Length(kept) - 2);
        if (room >= ShortestBar) kept.Insert(1, Bar(now.Steps == 0 ? 0 : (double)now.Step / now.Steps, room));
        return string.Join("  ", kept);
    }

    /// <summary>What was logged or evaluated, short enough for a terminal; trainer_state.json has every digit.</summary>
    internal static string Log(long step, IReadOnlyDictionary<string, double> logs)
    {
        var epoch = logs.TryGetValue("epoch", out var done) ? string.Create(CultureInfo.InvariantCulture, $"epoch {done:0.00}  ") : "";
        return $"{epoch}step {step}  " + string.Join("  ", logs
            .Where(log => log.Key != "epoch" && !IsTime(log.Key))
            .Select(log => $"{log.Key} {(log.Key == "learning_rate" ? Short(log.Value) : log.Value.ToString("0.0000", CultureInfo.InvariantCulture))}"));
    }

    /// <summary>Whether a metric says how long it took or how fast it was.</summary>
    internal static bool IsTime(string metric) =>
        metric.EndsWith("_runtime", StringComparison.Ordinal) || metric.EndsWith("_per_second", StringComparison.Ordinal);

    private static string[] Parts(Progress now) =>
    [
        $"epoch {now.Epoch}/{now.Epochs}",
        $"{now.Step}/{now.Steps}",
        string.Create(CultureInfo.InvariantCulture, $"loss {now.Loss:0.0000}"),
        $"lr {Short(now.LearningRate)}",
        now.TokensPerSecond < 9999.5
            ? string.Create(CultureInfo.InvariantCulture, $"{now.TokensPerSecond:0} tok/s")
            : string.Create(CultureInfo.InvariantCulture, $"{now.TokensPerSecond / 1000:0.0}k tok/s"),
        $"{Duration(now.Remaining)} left",
    ];

    private static int Length(IEnumerable<string> parts) => parts.Sum(part => part.Length + 2) - 2;

    /// <summary>A learning rate with three digits.</summary>
    private static string Short(double rate) =>
        PythonFloat.Repr(double.Parse(rate.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));

    internal static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}"
        : $"{time.Minutes}:{time.Seconds:00}";

    private static string Bar(double share, int columns)
    {
        var full = (int)(share * columns);
        return new string('━', full) + new string('─', columns - full);
    }
}
