using Attune.Cli;

namespace Attune.Tests.Cli;

public sealed class TerminalTests
{
    [Theory]
    [InlineData(true, "TERM=xterm")]
    [InlineData(true, "TERM=xterm", "NO_COLOR=")]
    [InlineData(false, "TERM=dumb")]
    [InlineData(false)]
    [InlineData(false, "TERM=xterm", "NO_COLOR=1")]
    [InlineData(false, "TERM=xterm", "CI=true")]
    [InlineData(false, "TERM=xterm", "OMPI_COMM_WORLD_RANK=0")]
    [InlineData(false, "TERM=xterm", "PMI_RANK=1")]
    [InlineData(false, "TERM=xterm", "SLURM_PROCID=0")]
    public void MayDraw_Environment_IsRespected(bool expected, params string[] variables)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && !variables.Contains("TERM=xterm"), "Windows sets no TERM.");
        var environment = variables.Select(variable => variable.Split('=')).ToDictionary(parts => parts[0], parts => parts[1]);
        Assert.Equal(expected, Terminal.MayDraw(environment.GetValueOrDefault));
    }

    [Fact]
    public void Note_AboveALiveLine_ClearsAndRedrawsIt()
    {
        var recorder = new RecordingTerminal(isLive: true);
        recorder.Terminal.Status("working");
        recorder.Terminal.Note("a note");
        recorder.Terminal.Status("");
        Assert.Equal("\r\x1b[Kworking\r\x1b[Ka note\nworking\r\x1b[K", recorder.Error);
    }

    [Fact]
    public void Status_NotLive_WritesNothing()
    {
        var recorder = new RecordingTerminal(isLive: false);
        recorder.Terminal.Status("working");
        recorder.Terminal.Flush();
        Assert.Equal("", recorder.Error);
    }

    [Fact]
    public void Quiet_SuppressesTellAndStatus_NotNotesAndResults()
    {
        var recorder = new RecordingTerminal(isLive: true);
        recorder.Terminal.IsQuiet = true;
        recorder.Terminal.Tell("told");
        recorder.Terminal.Status("working");
        recorder.Terminal.Note("wrong");
        recorder.Terminal.Result("result");
        Assert.Equal(("wrong\n", "result\n"), (recorder.Error, recorder.Out));
    }

    [Fact]
    public void Note_LongLineOnATerminal_BreaksBetweenWords()
    {
        var recorder = new RecordingTerminal(isLive: true, width: 20);
        recorder.Terminal.Note("one two three four five six");
        Assert.Equal("one two three four\nfive six\n", recorder.Error);
    }
}
