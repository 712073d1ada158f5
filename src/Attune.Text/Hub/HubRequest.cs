using System.Net.Http.Headers;

namespace Attune.Hub;

/// <summary>What is asked of the hub.</summary>
/// <param name="Method">GET, HEAD, POST or PUT.</param>
/// <param name="Address">Where.</param>
internal sealed record HubRequest(HttpMethod Method, Uri Address)
{
    /// <summary>Makes the body anew for each try, and is given what to call when a piece of it was sent; null for none.</summary>
    internal Func<Action, HttpContent>? Body { get; init; }

    /// <summary>First byte that is wanted.</summary>
    internal long From { get; init; }

    /// <summary>How long the first byte of the answer may take, or the next piece of the body.</summary>
    internal required TimeSpan Patience { get; init; }

    /// <summary>How often it is asked again when the hub is busy or cannot be reached.</summary>
    internal int Retries { get; init; } = Waits.Retries;

    /// <summary>Who asks, where that is not the one of the settings.</summary>
    internal string? Token { get; init; }

    /// <summary>Whether the token goes along though the settings say not to where nothing demands it.</summary>
    internal bool DemandsToken { get; init; }

    /// <summary>Kind of the answer, where it must be told.</summary>
    internal MediaTypeWithQualityHeaderValue? Accept { get; init; }

    /// <summary>Whether redirects to other hosts are followed; a HEAD stops there, as the hub has said all by then.</summary>
    internal bool LeavesTheHub => Method == HttpMethod.Get;
}
