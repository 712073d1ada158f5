using Attune.Training;

namespace Attune.Tests.Training;

public sealed class DurationTests
{
    [Theory]
    [InlineData("45s", 45)]
    [InlineData("90m", 5400)]
    [InlineData("2h30m", 9000)]
    [InlineData("1d2h", 93600)]
    [InlineData("02:30:00", 9000)]
    [InlineData("1.12:00:00", 129600)]
    public void TryParse_Time_IsRead(string text, double seconds)
    {
        Assert.True(Duration.TryParse(text, out var time));
        Assert.Equal(seconds, time.TotalSeconds);
        Assert.Equal(time, ArgumentTable.Of<TrainingArguments>().Find("max_time")!.Parse(text));
    }

    [Theory, InlineData(""), InlineData("0s"), InlineData("-1h"), InlineData("90"), InlineData("2h30"), InlineData("1m2h"), InlineData("-01:00:00"), InlineData("soon")]
    public void TryParse_NoTime_IsRefused(string text)
    {
        Assert.False(Duration.TryParse(text, out _));
        Assert.Equal($"max_time is {text}; it must be a time above 0, such as 45s, 90m, 2h30m or 02:30:00.",
            Assert.Throws<AttuneException>(() => ArgumentTable.Of<TrainingArguments>().Find("max_time")!.Parse(text)).Message);
    }
}
