using Attune.Checkpoints;
using Attune.Cli;
using Attune.Training;

namespace Attune.Tests.Cli;

public sealed class ProgressBarTests
{
    private static readonly TrainingArguments Arguments = new();

    [Fact]
    public void Redirected_WritesOnePlainLinePerEpoch()
    {
        var recorder = new RecordingTerminal(isLive: false);
        Run(recorder, secondsAStep: 1);
        Assert.Equal(
            "epoch 1/2  4/8  loss 0.6855  lr 0.001  10 tok/s  0:04 left\nepoch 2/2  8/8  loss 0.6366  lr 0.001  10 tok/s  0:00 left\n",
            recorder.Error);
    }

    [Fact]
    public void Redirected_SlowSteps_WritesALineAboutTwiceAMinute()
    {
        var recorder = new RecordingTerminal(isLive: false);
        Run(recorder, secondsAStep: 20);
        Assert.Equal(["2/8", "4/8", "6/8", "8/8"], recorder.Error.TrimEnd('\n').Split('\n').Select(line => line.Split("  ")[1]));
    }

    [Fact]
    public void Live_DrawsOverOneLineAndRemovesIt()
    {
        var recorder = new RecordingTerminal(isLive: true, width: 60);
        Run(recorder, secondsAStep: 1);
        Assert.DoesNotContain("\n", recorder.Error, StringComparison.Ordinal);
        Assert.EndsWith("\r\x1b[K", recorder.Error, StringComparison.Ordinal);
        Assert.Matches("epoch 2/2  ━+─+  7/8  loss 0[.]", recorder.Error);
    }

    [Fact]
    public void Live_WindowMadeNarrower_LinesFitFromThenOn()
    {
        var recorder = new RecordingTerminal(isLive: true, width: 100);
        Run(recorder, secondsAStep: 1, beforeStep: step => recorder.Width = step < 5 ? 100 : 40);
        var lines = recorder.Error.Split("\r\x1b[K").ToList();
        Assert.Contains(lines, line => line.Length > 60);
        Assert.All(lines.Where(line => line.Contains("epoch 2/2", StringComparison.Ordinal)), line => Assert.True(line.Length < 40, line));
    }

    [Theory]
    [InlineData("true", "run/checkpoint-4")]
    [InlineData("Auto", "run/checkpoint-4")]
    [InlineData("elsewhere/checkpoint-4", "elsewhere/checkpoint-4")]
    public void Resumed_SaysFromWhere(string wanted, string folder)
    {
        var recorder = new RecordingTerminal();
        new ProgressBar(recorder.Terminal, TimeProvider.System).OnTrainBegin(
            new() { OutputDir = "run", ResumeFromCheckpoint = wanted }, new() { GlobalStep = 4, MaxSteps = 8 }, new TrainerControl());
        Assert.Equal($"Goes on from {folder}, after update 4 of 8.\n", recorder.Error);
    }

    [Fact]
    public void DisableTqdm_DrawsNothingButLogs()
    {
        var recorder = new RecordingTerminal(isLive: true);
        Run(recorder, secondsAStep: 1, Arguments with { DisableTqdm = true }, logs: new Dictionary<string, double> { ["loss"] = 0.5, ["epoch"] = 1 });
        Assert.Equal("epoch 1.00  step 8  loss 0.5000\n", recorder.Error);
    }

    private static void Run(RecordingTerminal recorder, int secondsAStep, TrainingArguments? arguments = null, IReadOnlyDictionary<string, double>? logs = null,
        Action<int>? beforeStep = null)
    {
        arguments ??= Arguments;
        var clock = new StepClock();
        var bar = new ProgressBar(recorder.Terminal, clock);
        var state = new TrainerState { MaxSteps = 8, NumTrainEpochs = 2, Epoch = 0 };
        var control = new TrainerControl();
        bar.OnTrainBegin(arguments, state, control);
        for (var step = 1; step <= 8; step++)
        {
            beforeStep?.Invoke(step);
            clock.Now += TimeSpan.FromSeconds(secondsAStep);
            (state.GlobalStep, state.Epoch) = (step, step / 4.0);
            bar.OnStepEnd(arguments, state, control, new StepResult([0.7 - 0.05 * (step - 1)], [], 10 * secondsAStep, 1, 1e-3));
        }
        if (logs is not null) bar.OnLog(arguments, state, control, logs);
        bar.OnTrainEnd(arguments, state, control);
    }

    private sealed class StepClock : TimeProvider
    {
        internal TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
