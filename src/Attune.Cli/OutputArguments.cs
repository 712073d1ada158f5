using Attune.Training;

namespace Attune.Cli;

/// <summary>How much is said, and in which form.</summary>
public sealed record OutputArguments
{
    /// <summary>Writes the results as JSON.</summary>
    /// <value>Default false.</value>
    public bool Json { get; init; }

    /// <summary>Says nothing but results and errors.</summary>
    /// <value>Default false.</value>
    public bool Quiet { get; init; }

    /// <summary>Says more: train all settings and what became of every weight; evaluate and predict what model they use.</summary>
    /// <value>Default false.</value>
    public bool Verbose { get; init; }

    /// <summary>The same by a level of transformers' log, where that says something.</summary>
    internal OutputArguments With(LogLevel level) => level switch
    {
        LogLevel.Debug when !Quiet => this with { Verbose = true },
        LogLevel.Error or LogLevel.Critical => this with { Quiet = true, Verbose = false },
        _ => this,
    };

    /// <summary>Refuses what contradicts itself and sets the terminal.</summary>
    internal OutputArguments Apply(Terminal terminal)
    {
        if (Quiet && Verbose) throw new UsageException("--quiet and --verbose contradict each other; leave one out.");
        terminal.IsQuiet = Quiet;
        return this;
    }
}
