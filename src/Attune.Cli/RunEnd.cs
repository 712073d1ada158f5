using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Cli;

/// <summary>What is said and written when training is over, whatever was learned.</summary>
/// <param name="trainer">Of the run.</param>
/// <param name="isPart">Whether the run is one of several, which the same command goes on with.</param>
/// <param name="terminal">Is told.</param>
internal sealed class RunEnd(Trainer trainer, bool isPart, Terminal terminal)
{
    /// <summary>Says what is left of a run that was stopped; gives the exit code.</summary>
    internal int Interrupted(TrainOutput run, int code)
    {
        var folder = trainer.Args.OutputDir;
        if ((run.LastCheckpoint ?? CheckpointFiles.Newest(folder)) is { } checkpoint)
        {
            var isNewest = checkpoint == CheckpointFiles.Newest(folder);
            terminal.Note($"Stopped after update {run.GlobalStep} of {trainer.State.MaxSteps}; {checkpoint} holds the state. " +
                (isPart ? "Give the same command again to go on." : $"Give the same command with --resume-from-checkpoint {(isNewest ? "true" : checkpoint)} to go on."));
            return code;
        }
        terminal.Note("Stopped before the first update; there was nothing to save.");
        return ExitCode.WithoutState(code);
    }

    /// <summary>Writes the results of training and says them; gives them as JSON.</summary>
    internal JsonObject Trained(TrainOutput run, int rows)
    {
        var metrics = new OrderedDictionary<string, double>(run.Metrics) { ["train_samples"] = rows };
        RunMemory.AddTo(metrics, run);
        trainer.SaveMetrics("train", metrics);
        trainer.SaveState();
        var time = ProgressLine.Duration(TimeSpan.FromSeconds(run.Metrics["train_runtime"]));
        terminal.Tell(string.Create(CultureInfo.InvariantCulture, $"Trained {run.GlobalStep:N0} updates in {time}, mean loss {run.TrainingLoss:0.0000}."));
        if (RunMemory.Words(run) is { } memory) terminal.Tell(memory);
        if (trainer.State.BestModelCheckpoint is { } best && trainer.Args is { LoadBestModelAtEnd: true, Soup: 0 })
            terminal.Tell(string.Create(CultureInfo.InvariantCulture,
                $"The best model is that of update {trainer.State.BestGlobalStep} ({trainer.Args.MetricForBestModel} {trainer.State.BestMetric:0.0000}).") +
                $" It is {best}.");
        return TrainerStateJson.Entry(metrics);
    }
}
