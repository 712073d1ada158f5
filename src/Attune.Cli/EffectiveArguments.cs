using Attune.Training;

namespace Attune.Cli;

/// <summary>The arguments with which <c>attune train</c> would train, for who only wants to see them.</summary>
internal static class EffectiveArguments
{
    // Which metric decides may hang on the data, which are not read here: to be read back as a choice of the user would change the run.
    private static readonly string[] OfTheData = ["metric_for_best_model", "greater_is_better"];

    /// <summary>Fills in the model, the defaults that suit it, and what follows from other arguments.</summary>
    internal static void Complete(ArgumentValues values)
    {
        RunRequest.FillIn(values);
        var given = values.Create<TrainingArguments>();
        var whole = UsageException.Check(() => given.Validated());
        foreach (var argument in ArgumentTable.Of<TrainingArguments>().All.Where(argument => !OfTheData.Contains(argument.Name)))
            if (!Equals(argument.Read(given), argument.Read(whole))) values.Set(argument, argument.Read(whole), "follows from others");
    }
}
