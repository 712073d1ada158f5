using Attune.Optimization;

namespace Attune.Training;

/// <summary>The learning rate of each update: a schedule over the run, or one that follows a metric.</summary>
internal sealed class LearningRate
{
    private readonly TrainingArguments _args;
    private readonly Func<long, double>? _factor;
    private readonly PlateauSchedule? _plateau;

    /// <summary>Creates the schedule of a run.</summary>
    /// <exception cref="AttuneException">The schedule does not fit the number of updates, or an option of it is unfit.</exception>
    internal LearningRate(TrainingArguments args, TrainingPlan plan)
    {
        _args = args;
        if (args.LrSchedulerType == SchedulerType.ReduceLrOnPlateau) _plateau = new PlateauSchedule(args.LearningRate, args.LrSchedulerKwargs);
        else _factor = Schedules.Create(args.LrSchedulerType, plan.WarmupSteps(args), plan.TotalSteps, args.LearningRate, args.LrSchedulerKwargs);
    }

    /// <summary>What must survive a restart; null where the rate depends on the step only.</summary>
    internal PlateauState? State
    {
        get => _plateau?.State;
        set
        {
            if (_plateau is not null && value is not null) _plateau.State = value;
        }
    }

    /// <summary>The rate of the update that follows <paramref name="step"/> finished ones.</summary>
    internal double After(long step) => _plateau?.State.LearningRate ?? _args.LearningRate * _factor!(step);

    /// <summary>Takes an evaluation into account.</summary>
    /// <exception cref="AttuneException">It lacks the metric that the schedule follows.</exception>
    internal void Follow(IReadOnlyDictionary<string, double> metrics) => _plateau?.Step(BestModel.Metric(_args, metrics));
}
