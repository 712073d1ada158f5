using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>When a probe has come to the speed of a run, by speeds that are made up.</summary>
public sealed class SteadySpeedTests
{
    [Fact]
    public void IsReached_SpeedThatClimbs_WaitsUntilItNoLongerDoes()
    {
        var speed = new SteadySpeed();
        foreach (var tokens in new[] { 100, 140, 180, 210, 240 }) Assert.False(Window(speed, tokens));
        Assert.False(Window(speed, 243));                                    // one like the one before may be chance
        Assert.True(Window(speed, 230));
    }

    [Fact]
    public void IsReached_LevelSpeed_TakesThreeWindowsOfHalfASecond()
    {
        var speed = new SteadySpeed();
        for (var update = 0; update < 14; update++)
        {
            Assert.False(speed.IsReached);
            speed.Add(10, 0.1);
        }
        speed.Add(10, 0.11);
        Assert.True(speed.IsReached);
        var large = new SteadySpeed();
        Assert.False(Window(large, 100, 20) || Window(large, 100, 20));      // updates that are long are windows of their own
        Assert.True(Window(large, 100, 20));
    }

    [Fact]
    public void IsReached_SpeedThatNeverRests_EndsAfterSomeSeconds()
    {
        var speed = new SteadySpeed();
        var windows = 1;
        for (double tokens = 100; !Window(speed, (long)tokens); tokens *= 1.2) windows++;
        Assert.Equal(30, windows);
    }

    [Theory]
    [InlineData(100, 1.4)]
    [InlineData(3, 1.4)]
    [InlineData(2, 1.2)]
    [InlineData(1, 0.8)]
    public void Besides_SlowUpdates_AreThoseThatTheRunMakes(long updates, double seconds)
    {
        var speed = new SteadySpeed();
        foreach (var taken in new[] { 1.0, 0.6, 0.4, 0.2 }) speed.Add(20, taken);
        Assert.Equal(seconds, speed.Besides(updates, secondsOfToken: 0.01), 9);
    }

    [Fact]
    public void Besides_NoSlowBeginning_IsNothing()
    {
        var speed = new SteadySpeed();
        speed.Add(20, 0.1);
        Assert.Equal(0, speed.Besides(1, secondsOfToken: 0.01));
    }

    private static bool Window(SteadySpeed speed, long tokens, double seconds = 0.5)
    {
        speed.Add(tokens, seconds);
        return speed.IsReached;
    }
}
