using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>How often a run evaluates and saves while it trains, by its arguments alone.</summary>
/// <param name="Evaluations">Evaluations.</param>
/// <param name="Checkpoints">Checkpoints; of those that only the best evaluations make at most as many.</param>
internal sealed record RunSchedule(long Evaluations, long Checkpoints)
{
    /// <summary>Goes through the run's updates as the Trainer does, without making them.</summary>
    internal static RunSchedule Of(TrainingArguments args, TrainingPlan plan)
    {
        var state = new TrainerState { MaxSteps = plan.TotalSteps };
        state.ComputeSteps(args.LoggingSteps, args.EvalSteps, args.SaveSteps);
        var (flow, control) = (new DefaultFlow(), new TrainerControl());
        long evaluations = args.EvalOnStart ? 1 : 0, checkpoints = 0, epoch = 0, inEpoch = 0;
        while (state.GlobalStep < plan.TotalSteps)
        {
            state.GlobalStep++;
            var ofEpoch = Math.Max(1, plan.UpdatesIn(epoch));
            state.Epoch = epoch + (double)++inEpoch / ofEpoch;
            flow.OnStepEnd(args, state, control, null!);
            Count();
            if (inEpoch < ofEpoch && state.GlobalStep < plan.TotalSteps) continue;
            flow.OnEpochEnd(args, state, control);
            Count();
            (epoch, inEpoch) = (epoch + 1, 0);
        }
        return new RunSchedule(evaluations, args.SaveStrategy == SaveStrategy.Best ? evaluations : checkpoints);

        void Count()
        {
            if (control.ShouldEvaluate) evaluations++;
            if (control.ShouldSave) checkpoints++;
            (control.ShouldEvaluate, control.ShouldSave) = (false, false);
        }
    }
}
