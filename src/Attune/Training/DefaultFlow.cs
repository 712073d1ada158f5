using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>Sets the switches that the strategies of the arguments call for; always the first callback.</summary>
internal sealed class DefaultFlow : TrainerCallback
{
    public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
    {
        var done = state.GlobalStep;
        if (done == 1 && args.LoggingFirstStep) control.ShouldLog = true;
        if (args.LoggingStrategy == IntervalStrategy.Steps && IsDue(done, state.LoggingSteps)) control.ShouldLog = true;
        if (args.EvalStrategy == IntervalStrategy.Steps && IsDue(done, state.EvalSteps) && args.EvalDelay <= done) control.ShouldEvaluate = true;
        if (args.SaveStrategy == SaveStrategy.Steps && state.SaveSteps > 0 && IsDue(done, state.SaveSteps)) control.ShouldSave = true;
        if (done < state.MaxSteps) return;
        control.ShouldTrainingStop = true;
        if (args.SaveStrategy == SaveStrategy.Steps) control.ShouldSave = true;
    }

    public override void OnEpochEnd(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        if (args.LoggingStrategy == IntervalStrategy.Epoch) control.ShouldLog = true;
        if (args.EvalStrategy == IntervalStrategy.Epoch && args.EvalDelay <= state.Epoch) control.ShouldEvaluate = true;
        if (args.SaveStrategy == SaveStrategy.Epoch) control.ShouldSave = true;
    }

    // A negative interval is a share of the run as well: -1 is due at the last update only.
    private static bool IsDue(long done, long every) => every != 0 && done % every == 0;
}
