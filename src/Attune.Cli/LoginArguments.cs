namespace Attune.Cli;

/// <summary>What to do with the token of the hub.</summary>
public sealed record LoginArguments
{
    /// <summary>Removes the stored token.</summary>
    /// <value>Default false.</value>
    public bool Logout { get; init; }
}
