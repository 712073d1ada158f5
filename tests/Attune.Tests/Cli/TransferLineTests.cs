using Attune.Cli;
using Attune.Hub;

namespace Attune.Tests.Cli;

public sealed class TransferLineTests
{
    private static readonly RepoFile Config = new("config.json", 600, new string('a', 40), null, null);
    private static readonly RepoFile Weights = new("model.safetensors", 440_000_000, new string('b', 40), new string('c', 64), null);

    [Fact]
    public void Show_RedirectedOutput_WritesOnePlainLineForEachFile()
    {
        var terminal = new RecordingTerminal();
        var line = new TransferLine(terminal.Terminal, TimeProvider.System);
        foreach (var step in Steps()) line.Show(step);
        Assert.Equal(["Downloading the model \"org/model\": 2 files, 440.0 MB.", "config.json  0.0 MB", "model.safetensors  440.0 MB"], terminal.Told);
    }

    [Fact]
    public void Show_Quiet_WritesNothing()
    {
        var terminal = new RecordingTerminal { Terminal = { IsQuiet = true } };
        var line = new TransferLine(terminal.Terminal, TimeProvider.System);
        foreach (var step in Steps()) line.Show(step);
        Assert.Equal("", terminal.Error);
    }

    [Fact]
    public void Show_Terminal_DrawsOneLine()
    {
        var terminal = new RecordingTerminal(isLive: true, width: 100);
        var line = new TransferLine(terminal.Terminal, TimeProvider.System);
        foreach (var step in Steps()) line.Show(step);
        Assert.Contains("config.json  0/2 files  0 %  0.0 MB of 440.0 MB", terminal.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("model.safetensors  440.0 MB", terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100, "model.safetensors  1/2 files  50 %  220.0 MB of 440.0 MB  11.0 MB/s  0:20 left")]
    [InlineData(70, "model.safetensors  1/2 files  50 %  220.0 MB of 440.0 MB  0:20 left")]
    [InlineData(60, "1/2 files  50 %  220.0 MB of 440.0 MB  0:20 left")]
    [InlineData(30, "50 %  220.0 MB of 440.0 MB")]
    [InlineData(10, "50 %")]
    public void Live_AnyWidth_FitsAndKeepsWhatMatters(int columns, string expected) =>
        Assert.Equal(expected, TransferLine.Live(new TransferProgress("model \"org/model\"", 2, 1, 440_000_000, 220_000_000, Weights, false), 11e6, columns));

    private static TransferProgress[] Steps() =>
    [
        Step(0, 0, Config, false), Step(600, 0, Config, false), Step(600, 1, Config, true),
        Step(220_000_600, 1, Weights, false), Step(440_000_600, 2, Weights, true),
    ];

    private static TransferProgress Step(long bytes, int files, RepoFile file, bool isDone) => new("model \"org/model\"", 2, files, 440_000_600, bytes, file, isDone);
}
