using Attune.Training;

namespace Attune.Reporting;

/// <summary>The callbacks that <c>report_to</c> names.</summary>
public static class Reporters
{
    /// <summary>One callback for each name; none for <c>none</c>.</summary>
    /// <exception cref="AttuneException">A name is unknown.</exception>
    public static IReadOnlyList<TrainerCallback> Of(TrainingArguments args)
    {
        ArgumentNullException.ThrowIfNull(args);
        return [.. args.ReportTo.Where(name => name != "none").Select(name => name switch
        {
            "json" or "all" => new JsonLog(),
            _ => throw new AttuneException($"report_to is {name}; it must be json or none."),
        })];
    }
}
