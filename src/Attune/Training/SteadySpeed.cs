namespace Attune.Training;

/// <summary>
/// When a run has come to its speed: it is slow at first, while the runtime compiles what is used most, memory is taken from the system and caches fill. The speed of windows
/// of time is compared; it is steady where two in a row are no faster than the fastest before them.
/// </summary>
internal sealed class SteadySpeed
{
    private const double WindowSeconds = 0.5, MostSeconds = 15, Faster = 1.03;
    private const int LeastWindows = 3, Slower = 2;

    private readonly List<(long Tokens, double Seconds)> _updates = [];
    private long _tokens;
    private double _seconds, _all, _fastest;
    private int _windows, _notFaster;

    /// <summary>Takes an update that was made.</summary>
    internal void Add(long tokens, double seconds)
    {
        _updates.Add((tokens, seconds));
        (_tokens, _seconds, _all) = (_tokens + tokens, _seconds + seconds, _all + seconds);
        if (_seconds < WindowSeconds) return;
        var speed = _tokens / _seconds;
        _notFaster = _windows > 0 && speed < Faster * _fastest ? _notFaster + 1 : 0;
        (_fastest, _windows, _tokens, _seconds) = (Math.Max(_fastest, speed), _windows + 1, 0, 0);
    }

    /// <summary>Whether the speed is steady; in any case after some seconds, for it may never be on a machine that others use.</summary>
    internal bool IsReached => _windows >= LeastWindows && (_notFaster >= Slower || _all >= MostSeconds);

    /// <summary>What the slow beginning of a run takes besides the time that its updates take later.</summary>
    /// <param name="updates">How many updates the run makes: a short one is over before it has come to its speed.</param>
    /// <param name="secondsOfToken">What a token takes later.</param>
    internal double Besides(long updates, double secondsOfToken) =>
        Math.Max(0, _updates.Take((int)Math.Min(int.MaxValue, updates)).Sum(update => update.Seconds - update.Tokens * secondsOfToken));
}
