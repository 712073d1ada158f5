using System.Net;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>The sentence for a request that the hub refuses.</summary>
internal static class HubRefusal
{
    private const string Disabled = "Access to this resource is disabled.";

    /// <summary>What is wrong with a request for a repository or one of its files.</summary>
    internal static AttuneException Of(HubAnswer answer, HubRepo repo, string revision, string? file, HubSettings settings)
    {
        if (answer.ErrorMessage is { } said && IsOfToken(said)) return RefusedToken(settings);
        if (IsAbsent(answer)) return new AttuneException(NotFound(repo, settings), new AbsentRepoException());
        var hub = settings.Address;
        return new AttuneException(answer switch
        {
            { ErrorCode: "GatedRepo" } when settings.Token is null || answer.Status == HttpStatusCode.Unauthorized =>
                $"The {repo} is gated: ask for access at {repo.Page(settings)}, then log in by attune login.",
            { ErrorCode: "GatedRepo" } =>
                $"The {repo} is gated, and the account of your token ({settings.TokenSource}) has no access to it: ask for it at {repo.Page(settings)}.",
            { ErrorCode: "RevisionNotFound" } =>
                $"The {repo} has no revision {Shown.Of(revision)} on {hub}; give a branch, a tag or a commit.",
            { ErrorCode: "EntryNotFound" } =>
                $"The {repo} has no file {Shown.Of(file ?? "")} at the revision {Shown.Of(revision)} on {hub}.",
            { ErrorMessage: Disabled } =>
                $"The {repo} has been disabled on {hub}; take another.",
            { Status: HttpStatusCode.Forbidden } =>
                $"{hub} forbids this token ({settings.TokenSource ?? "none was sent"}) to do this with the {repo}" +
                $"{Said(answer)}; give a token that has the right to.",
            _ => $"{hub} refuses the request for the {repo} ({(int)answer.Status}{Said(answer)}); check its name and HF_ENDPOINT.",
        });
    }

    /// <summary>The token is none of this hub, or no longer.</summary>
    internal static AttuneException RefusedToken(HubSettings settings) => new(
        $"{settings.Address} does not take the token of {settings.TokenSource ?? "this request"}; make a new one at {settings.Address}/settings/tokens " +
        "and log in again by attune login.");

    /// <summary>What answers is no hub.</summary>
    internal static AttuneException Strange(HubSettings settings, Exception? cause = null)
    {
        var sentence = $"{settings.Address} does not answer as a hub does; check HF_ENDPOINT, and whether a proxy stands between.";
        return cause is null ? new AttuneException(sentence) : new AttuneException(sentence, cause);
    }

    /// <summary>Whether there is no such repository, as far as this token goes.</summary>
    internal static bool IsAbsent(HubAnswer answer) => answer.ErrorCode is "RepoNotFound" ||
        answer.ErrorCode is not ("GatedRepo" or "RevisionNotFound" or "EntryNotFound") && answer.ErrorMessage != Disabled &&
        answer.Status is (HttpStatusCode.Unauthorized or HttpStatusCode.NotFound);

    private static bool IsOfToken(string message) => message.StartsWith("Invalid credentials", StringComparison.Ordinal) ||
        message.StartsWith("Invalid user token", StringComparison.Ordinal) || message.Contains("is expired", StringComparison.Ordinal);

    private static string NotFound(HubRepo repo, HubSettings settings) => settings.Token is null || !settings.SendsToken
        ? $"There is no {repo} on {settings.Address}, or it is private; check its spelling, or log in by attune login."
        : $"There is no {repo} on {settings.Address}, or your token ({settings.TokenSource}) may not read it; check its spelling and the token's rights.";

    private static string Said(HubAnswer answer) => answer.ErrorMessage is { } message ? ": " + Shown.Of(message).Trim('"') : "";
}

/// <summary>What a refusal says is that the hub has no such repository.</summary>
internal sealed class AbsentRepoException : Exception;
