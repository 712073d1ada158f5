using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Stops a run, as a signal would: after an update, or in an evaluation.</summary>
internal sealed class Stopper(CancellationTokenSource source, int? step, int? evaluation = null) : TrainerCallback
{
    private int _evaluations;

    public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult result)
    {
        if (state.GlobalStep == step) source.Cancel();
    }

    public override void OnPredictionStep(TrainingArguments args, TrainerState state, TrainerControl control, int batch, int batches)
    {
        if (batch == 1 && ++_evaluations == evaluation) source.Cancel();
    }
}
