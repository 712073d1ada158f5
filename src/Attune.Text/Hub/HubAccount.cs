using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Who a token stands for.</summary>
/// <param name="Name">The account's name.</param>
/// <param name="Role">What the token may do: read, write or fineGrained; null where the hub does not say.</param>
internal sealed record HubAccount(string Name, string? Role)
{
    /// <summary>Asks the hub whose token this is.</summary>
    /// <exception cref="AttuneException">The hub does not take it, or cannot be asked.</exception>
    internal static async Task<HubAccount> AskAsync(HubHttp http, string? token, CancellationToken stop)
    {
        var settings = http.Settings;
        try
        {
            var (json, _) = await http.JsonAsync(new HubRequest(HttpMethod.Get, new Uri($"{settings.Address}/api/whoami-v2"))
            {
                Patience = settings.MetadataTimeout,
                Token = token,
                DemandsToken = true,
            }, answer => answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                ? HubRefusal.RefusedToken(settings) : HubRefusal.Strange(settings), stop);
            return json is JsonObject said && said["name"] is JsonValue name && name.TryGetValue(out string? account)
                ? new HubAccount(account, ((said["auth"] as JsonObject)?["accessToken"] as JsonObject)?["role"]?.ToString())
                : throw HubRefusal.Strange(settings);
        }
        catch (UnreachableException e)
        {
            throw e.With("check the network and HF_ENDPOINT");
        }
    }

    /// <summary>Stores a token where Hugging Face's tools look for it, for this user's eyes only.</summary>
    internal static void Store(HubSettings settings, string token)
    {
        AtomicFile.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(settings.TokenFile))!);
        AtomicFile.Write(settings.TokenFile, stream => stream.Write(Encoding.ASCII.GetBytes(token)), isSecret: true);
    }

    /// <summary>Removes the stored token.</summary>
    /// <returns>Whether there was one.</returns>
    internal static bool Forget(HubSettings settings)
    {
        try
        {
            if (!File.Exists(settings.TokenFile)) return false;
            File.Delete(settings.TokenFile);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(settings.TokenFile, e);
        }
    }
}
