namespace Attune.Training;

/// <summary>How much is said of a run, by the words of transformers.</summary>
public enum LogLevel
{
    /// <summary>As without it.</summary>
    Passive,

    /// <summary>Everything.</summary>
    Debug,

    /// <summary>What a user should know.</summary>
    Info,

    /// <summary>What may be a mistake.</summary>
    Warning,

    /// <summary>Errors only.</summary>
    Error,

    /// <summary>The same as <see cref="Error"/>.</summary>
    Critical,
}
