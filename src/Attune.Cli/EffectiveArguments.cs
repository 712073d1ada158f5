using Attune.Training;

namespace Attune.Cli;

/// <summary>The arguments with which <c>attune train</c> would train, for who only wants to see them.</summary>
internal static class EffectiveArguments
{
    /// <summary>Fills in the model, the defaults that suit it, and what follows from other arguments.</summary>
    internal static void Complete(ArgumentValues values)
    {
        RunRequest.FillIn(values);
        var given = values.Create<TrainingArguments>();
        var whole = UsageException.Check(() => given.Validated());
        foreach (var argument in ArgumentTable.Of<TrainingArguments>().All)
            if (!Equals(argument.Read(given), argument.Read(whole))) values.Set(argument, argument.Read(whole), "follows from others");
    }
}
