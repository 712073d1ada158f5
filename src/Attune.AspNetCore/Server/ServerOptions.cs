using System.Net;

namespace Attune.AspNetCore.Server;

/// <summary>How a server of one classifier listens, and what it allows.</summary>
internal sealed record ServerOptions
{
    /// <summary>Address to listen at: 127.0.0.1 is this machine alone, 0.0.0.0 all that can reach it.</summary>
    internal string Host { get; init; } = "127.0.0.1";

    /// <summary>The address; null for localhost, which is both of this machine's own.</summary>
    /// <exception cref="AttuneException">It is none.</exception>
    internal IPAddress? Address => Host == "localhost" ? null : IPAddress.TryParse(Host, out var address) ? address
        : throw new AttuneException($"{Host} is no address to listen at; give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all.");

    /// <summary>Port; 0 for any that is free.</summary>
    internal int Port { get; init; } = 8000;

    /// <summary>Limits of a request.</summary>
    internal ClassifierEndpointOptions Limits { get; init; } = new();

    /// <summary>Keys of which a request must bring one; empty: none is asked for.</summary>
    internal IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Requests a minute of one key, or of one address where there are no keys; null for any number.</summary>
    internal int? RateLimit { get; init; }

    /// <summary>Whether people get the page.</summary>
    internal bool Page { get; init; } = true;

    /// <summary>What the page calls the model.</summary>
    internal string Name { get; init; } = "model";

    /// <summary>File into which the page saves right labels of wrong answers; null for none.</summary>
    internal string? Corrections { get; init; }

    /// <summary>Is told of what should not happen: an exception that no request may cause. The answer says nothing of it.</summary>
    internal Action<Exception>? Report { get; init; }

    /// <summary>Connections at a time.</summary>
    internal int MaxConnections { get; init; } = 1000;

    /// <summary>How long a client may take for the headers of a request.</summary>
    internal TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a body may come at less than 240 bytes a second; above 1 s.</summary>
    internal TimeSpan SlowBodyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it goes on listening after a stop while requests run, for those who have not yet been told.</summary>
    internal TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long requests that run may go on after a stop.</summary>
    internal TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
