using Attune.Checkpoints;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Reporting;

/// <summary>A tiny run with something that records it, perhaps stopped and resumed.</summary>
internal static class LoggedRun
{
    /// <summary>Trains 3 epochs of 3 updates; a checkpoint after each update, so that a resumed run has something to take back.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="callback">Records.</param>
    /// <param name="stopAfter">The update after which it is cancelled.</param>
    /// <param name="dieAfter">The update after which an error ends it, as if it were killed: what follows the last checkpoint is not taken back.</param>
    /// <param name="resume">As <c>resume_from_checkpoint</c>.</param>
    /// <param name="change">Other arguments.</param>
    internal static TrainerState Train(string folder, TrainerCallback callback, int? stopAfter = null, int? dieAfter = null, string? resume = null,
        Func<TrainingArguments, TrainingArguments>? change = null)
    {
        using var model = TinyRun.Model();
        using var stop = new CancellationTokenSource();
        var arguments = TinyRun.Arguments(folder) with { SaveStrategy = SaveStrategy.Steps, SaveSteps = 2, LoggingSteps = 1 };
        var trainer = new Trainer(model, change?.Invoke(arguments) ?? arguments, TinyRun.Data(11), TinyRun.Data(5, seed: 3), callbacks: [callback, new Ending(stopAfter, dieAfter, stop)]);
        try
        {
            trainer.Train(resume, stop.Token);
        }
        catch (DiedException)
        {
            return trainer.State;
        }
        if (stopAfter is null) trainer.Evaluate();
        return trainer.State;
    }

    /// <summary>Whether a value is the same however often the run was stopped.</summary>
    internal static bool IsRepeatable(string name) => !name.EndsWith("runtime", StringComparison.Ordinal) && !name.EndsWith("per_second", StringComparison.Ordinal);

    private sealed class DiedException : Exception;

    private sealed class Ending(int? stopAfter, int? dieAfter, CancellationTokenSource stop) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
        {
            if (state.GlobalStep == stopAfter) stop.Cancel();
            if (state.GlobalStep == dieAfter) throw new DiedException();
        }
    }
}
