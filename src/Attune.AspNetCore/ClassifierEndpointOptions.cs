namespace Attune.AspNetCore;

/// <summary>What one request to a classifier may ask for.</summary>
public sealed record ClassifierEndpointOptions
{
    /// <summary>Texts, or pairs of texts, in one request.</summary>
    /// <value>At least 1. Default 256.</value>
    public int MaxTexts { get; init; } = 256;

    /// <summary>Size of a request's body.</summary>
    /// <value>Bytes, at least 1. Default 1 MiB.</value>
    public int MaxBodyBytes { get; init; } = 1 << 20;

    /// <summary>How long a request may take, from its first byte to its answer.</summary>
    /// <value>Above 0. Default 30 s.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);
}
