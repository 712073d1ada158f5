namespace Attune.Diagnostics;

/// <summary>How a check of this machine came out.</summary>
public enum CheckStatus
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, but worse than it could.</summary>
    Warning,

    /// <summary>Something will not work.</summary>
    Broken,
}

/// <summary>One fact about this machine.</summary>
/// <param name="Name">What was looked at, in a word or two.</param>
/// <param name="Status">How it came out.</param>
/// <param name="Finding">What was found.</param>
/// <param name="Remedy">What to do; null where there is nothing to do.</param>
public sealed record Check(string Name, CheckStatus Status, string Finding, string? Remedy = null)
{
    /// <summary>As it should be.</summary>
    internal static Check Ok(string name, string finding) => new(name, CheckStatus.Ok, finding);

    /// <summary>It works, but worse than it could.</summary>
    internal static Check Warning(string name, string finding, string remedy) => new(name, CheckStatus.Warning, finding, remedy);

    /// <summary>Something will not work.</summary>
    internal static Check Broken(string name, string finding, string remedy) => new(name, CheckStatus.Broken, finding, remedy);
}
