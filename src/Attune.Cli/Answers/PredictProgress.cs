using System.Globalization;

namespace Attune.Cli.Answers;

/// <summary>How far a file is predicted: on a terminal one line that is drawn over, elsewhere one plain line now and then.</summary>
/// <param name="terminal">Shows it.</param>
/// <param name="clock">For the rate.</param>
/// <param name="share">How much of the texts has been read, from 0 to 1; null where nobody knows how many there are.</param>
internal sealed class PredictProgress(Terminal terminal, TimeProvider clock, Func<double>? share)
{
    private static readonly TimeSpan BetweenPlainLines = TimeSpan.FromSeconds(30);
    private long _start, _lastLine, _firstRow;
    private double _firstShare;
    private bool _isBegun;

    /// <summary>Says how many rows are done.</summary>
    internal void Show(long rows)
    {
        if (!_isBegun)
        {
            // The first block has paid for much that comes once; what an earlier run had done is no measure either.
            (_isBegun, _start, _lastLine, _firstRow, _firstShare) = (true, clock.GetTimestamp(), clock.GetTimestamp(), rows, share?.Invoke() ?? 0);
            return;
        }
        if (terminal.IsLive) terminal.Status(Line(rows));
        else if (clock.GetElapsedTime(_lastLine) >= BetweenPlainLines)
        {
            _lastLine = clock.GetTimestamp();
            terminal.Tell(Line(rows));
        }
    }

    /// <summary>Takes the line away.</summary>
    internal void End() => terminal.Status("");

    private string Line(long rows)
    {
        var elapsed = clock.GetElapsedTime(_start);
        var rate = (rows - _firstRow) / Math.Max(1e-3, elapsed.TotalSeconds);
        var text = string.Create(CultureInfo.InvariantCulture, $"{rows:N0} rows  {rate:N0} rows/s");
        if (share?.Invoke() is not { } done || done <= _firstShare) return text;
        var left = elapsed * Math.Min(1e6, (1 - done) / (done - _firstShare));
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(100 * done):0} %  {text}  {ProgressLine.Duration(left)} left");
    }
}
