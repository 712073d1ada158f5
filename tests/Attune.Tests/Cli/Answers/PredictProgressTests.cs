using Attune.Cli.Answers;

namespace Attune.Tests.Cli.Answers;

public sealed class PredictProgressTests
{
    private readonly Clock _clock = new();
    private double _share;

    [Fact]
    public void Live_SaysShareRowsRateAndTimeLeft()
    {
        var recorder = new RecordingTerminal(isLive: true);
        var progress = new PredictProgress(recorder.Terminal, _clock, () => _share);
        Show(progress, 1_000, 0, 0.2);                                      // what was done before is no measure of the rate
        Show(progress, 3_000, 10, 0.4);
        Assert.EndsWith("40 %  3,000 rows  200 rows/s  0:30 left", recorder.Error, StringComparison.Ordinal);
        progress.End();
        Assert.EndsWith("\r\x1b[K", recorder.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Redirected_IsAPlainLineTwiceAMinute()
    {
        var recorder = new RecordingTerminal();
        var progress = new PredictProgress(recorder.Terminal, _clock, null);
        for (var i = 0; i <= 10; i++) Show(progress, i * 600, i == 0 ? 0 : 10, 0);
        progress.End();
        Assert.Equal(["1,800 rows  60 rows/s", "3,600 rows  60 rows/s", "5,400 rows  60 rows/s"], recorder.Told);
    }

    private void Show(PredictProgress progress, long rows, int seconds, double share)
    {
        _clock.Now += TimeSpan.FromSeconds(seconds);
        _share = share;
        progress.Show(rows);
    }

    private sealed class Clock : TimeProvider
    {
        internal TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
