using Attune.Reporting;
using Attune.Training;

namespace Attune.Cli;

/// <summary>What every verb that trains refuses of its arguments before it reads anything.</summary>
internal static class TrainingCheck
{
    /// <param name="training">As they were given.</param>
    /// <param name="done">What training does with a model, in a sentence: it is trained, or something is learned.</param>
    /// <returns>The arguments with what follows from others.</returns>
    /// <exception cref="AttuneException">They cannot be used, or nothing would be done.</exception>
    internal static TrainingArguments Of(TrainingArguments training, string done)
    {
        Optimizers.Check(training);
        foreach (var reporter in Reporters.Of(training).OfType<IDisposable>()) reporter.Dispose();       // a name that is none is refused here
        EvaluationLoop.RequireBatchSize(training);
        if (TrainingPlan.Of(training, int.MaxValue).TotalSteps < 1)
            throw new AttuneException($"Nothing would be {done}: num_train_epochs, or max_steps where it is given, must be above 0.");
        return training.Validated();
    }
}
