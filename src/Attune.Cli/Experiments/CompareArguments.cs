namespace Attune.Cli.Experiments;

/// <summary>How runs are compared.</summary>
public sealed record CompareArguments
{
    /// <summary>Writes the learning curves of the runs into this file, as SVG or PNG by how its name ends.</summary>
    /// <value>Default: no plot.</value>
    public string? Plot { get; init; }

    /// <summary>What the differences are tested for, and what the plot shows.</summary>
    /// <value>Names of metrics such as accuracy or f1_macro. Default: those that the runs were evaluated by.</value>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>How often rows are drawn anew to see how sure a difference is.</summary>
    /// <value>At least 100. Default 1000.</value>
    public int Resamples { get; init; } = 1000;

    /// <summary>Seed of those draws.</summary>
    /// <value>Default 42.</value>
    public long Seed { get; init; } = 42;
}
