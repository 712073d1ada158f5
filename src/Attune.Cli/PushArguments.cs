namespace Attune.Cli;

/// <summary>Where a folder is pushed to.</summary>
public sealed record PushArguments
{
    /// <summary>Makes a new repository private.</summary>
    /// <value>Default false. One that is there stays as it is.</value>
    public bool Private { get; init; }

    /// <summary>Branch; it is made where there is none.</summary>
    /// <value>Default main.</value>
    public string? Revision { get; init; }

    /// <summary>Message of the commit.</summary>
    /// <value>Default: Upload model.</value>
    public string CommitMessage { get; init; } = "Upload model";
}
