namespace Attune.Cli;

/// <summary>What to convert, and where to.</summary>
public sealed record ConvertArguments
{
    /// <summary>Folder for the converted model: a new one, or an empty one.</summary>
    /// <value>Must be given.</value>
    public string? OutputDir { get; init; }

    /// <summary>Branch, tag or commit of a model of the hub.</summary>
    /// <value>Default main.</value>
    public string? Revision { get; init; }
}
