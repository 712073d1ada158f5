using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Attune.Tests.Hub;

/// <summary>A repository of the hub on this machine: commits, branches, and how the real hub hands its files out.</summary>
internal sealed class HubRepository(HubServer server, string kindAndName)
{
    private readonly Dictionary<string, Dictionary<string, byte[]>> _commits = [];

    internal string Name { get; } = kindAndName[(kindAndName.IndexOf('/', StringComparison.Ordinal) + 1)..];

    internal Dictionary<string, string> Branches { get; } = [];

    internal bool IsPrivate { get; set; }

    internal bool IsGated { get; set; }

    /// <summary>Whether ranges are answered by the whole, as some proxies do.</summary>
    internal bool IgnoresRanges { get; set; }

    private bool IsModel => kindAndName.StartsWith("models/", StringComparison.Ordinal);

    private string Prefix => IsModel ? "/" : "/datasets/";

    internal IReadOnlyDictionary<string, byte[]> Files(string branch = "main") => _commits[Branches[branch]];

    /// <summary>Makes a commit of these files on a branch.</summary>
    internal string Commit(IEnumerable<(string Path, byte[] Content)> files, string branch = "main")
    {
        var all = files.ToDictionary(file => file.Path, file => file.Content);
        var text = string.Join('\n', all.Select(file => file.Key + GitHash(file.Value))) + _commits.Count;
        var commit = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..40];
        _commits.Add(commit, all);
        Branches[branch] = commit;
        return commit;
    }

    internal static bool IsLarge(string path) => path.EndsWith(".safetensors", StringComparison.Ordinal) || path.EndsWith(".bin", StringComparison.Ordinal) ||
        path.EndsWith(".parquet", StringComparison.Ordinal) || path.EndsWith(".h5", StringComparison.Ordinal) || path.EndsWith(".msgpack", StringComparison.Ordinal);

    internal static string Hash(string path, byte[] content) => IsLarge(path) ? Convert.ToHexStringLower(SHA256.HashData(content)) : GitHash(content);

    internal static string GitHash(byte[] content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {content.Length}\0"));
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    internal HubReply? Answer(HubCall call)
    {
        var target = call.Target.Split('?')[0];
        if (call.IsStorage) return target.StartsWith($"/{Name}/", StringComparison.Ordinal) ? OfStorage(call, target) : null;
        if (Rest(target, $"{Prefix}{Name}/resolve/") is { } file) return Refusal(call) ?? Resolve(call, file.Split('/', 2));
        if (Rest(target, $"/api/{kindAndName}/tree/") is { } revision) return Refusal(call) ?? List(call, Uri.UnescapeDataString(revision));
        if (Rest(target, $"/api/{kindAndName}/revision/") is { } wanted) return Refusal(call) ?? Describe(Uri.UnescapeDataString(wanted));
        return null;
    }

    private static string? Rest(string target, string start) => target.StartsWith(start, StringComparison.Ordinal) ? target[start.Length..] : null;

    private HubReply? Refusal(HubCall call)
    {
        var isKnown = call.Token == "Bearer " + server.Token;
        if (call.Token is not null && !isKnown) return HubReply.Refused(401, "", "Invalid credentials in Authorization header");
        if (IsPrivate && !isKnown) return HubReply.Refused(401, "RepoNotFound", "Repository not found");
        if (!IsGated) return null;
        return HubReply.Refused(isKnown ? 403 : 401, "GatedRepo", "Access to this repository is restricted");
    }

    private string? CommitOf(string revision) => Branches.TryGetValue(revision, out var commit) ? commit : _commits.ContainsKey(revision) ? revision : null;

    private HubReply Resolve(HubCall call, string[] revisionAndPath)
    {
        if (CommitOf(Uri.UnescapeDataString(revisionAndPath[0])) is not { } commit) return HubReply.Refused(404, "RevisionNotFound", "Invalid rev id");
        var path = Uri.UnescapeDataString(revisionAndPath[1]);
        if (!_commits[commit].TryGetValue(path, out var content))
            return HubReply.Refused(404, "EntryNotFound", "Entry not found") with { Headers = new() { ["X-Error-Code"] = "EntryNotFound", ["X-Repo-Commit"] = commit } };
        var etag = Hash(path, content);
        if (IsLarge(path))
            return new HubReply(302)
            {
                Headers =
                {
                    ["X-Repo-Commit"] = commit, ["X-Linked-Etag"] = $"\"{etag}\"", ["X-Linked-Size"] = content.Length.ToString(CultureInfo.InvariantCulture),
                    ["ETag"] = "\"of the redirect\"", ["Location"] = $"{server.Storage.AbsoluteUri}{Name}/{commit}/{Uri.EscapeDataString(path)}?signature=abc",
                },
            };
        return Content(call, content) is var reply && reply.Headers.TryAdd("ETag", $"W/\"{etag}\"") && reply.Headers.TryAdd("X-Repo-Commit", commit) ? reply : reply;
    }

    private HubReply OfStorage(HubCall call, string target)
    {
        if (call.Token is not null) return new HubReply(400);  // as signed addresses do
        var parts = target.Split('/');
        return _commits.GetValueOrDefault(parts[^2])?.GetValueOrDefault(Uri.UnescapeDataString(parts[^1])) is { } content ? Content(call, content) : new HubReply(403);
    }

    private HubReply Content(HubCall call, byte[] content)
    {
        var from = IgnoresRanges ? 0 : call.From;
        if (from == 0) return new HubReply(200) { Body = content };
        return from >= content.Length ? new HubReply(416) : new HubReply(206)
        {
            Headers = { ["Content-Range"] = $"bytes {from}-{content.Length - 1}/{content.Length}" },
            Body = content[(int)from..],
        };
    }

    private HubReply Describe(string revision) => CommitOf(revision) is not { } commit ? HubReply.Refused(404, "RevisionNotFound", "Invalid rev id")
        : HubReply.Json(JsonSerializer.Serialize(new { id = Name, sha = commit, siblings = _commits[commit].Keys.Select(path => new { rfilename = path }) }));

    private HubReply List(HubCall call, string revision)
    {
        if (CommitOf(revision) is not { } commit) return HubReply.Refused(404, "RevisionNotFound", "Invalid rev id");
        var cursor = call.Target.Split("cursor=") is [_, var given] ? int.Parse(given, CultureInfo.InvariantCulture) : 0;
        var all = _commits[commit].OrderBy(file => file.Key, StringComparer.Ordinal).ToList();
        var entries = all.Skip(cursor).Take(server.PageSize).Select(file => (object)(IsLarge(file.Key)
            ? new
            {
                type = "file",
                oid = GitHash(Encoding.UTF8.GetBytes("pointer of " + file.Key)),
                size = file.Value.Length,
                path = file.Key,
                lfs = new { oid = Hash(file.Key, file.Value), size = file.Value.Length, pointerSize = 130 },
                xetHash = new string('e', 64),
            }
            : new { type = "file", oid = GitHash(file.Value), size = file.Value.Length, path = file.Key }))
            .Prepend(new { type = "directory", oid = new string('a', 40), size = 0, path = "a-folder" });
        var reply = HubReply.Json(JsonSerializer.Serialize(entries));
        var next = cursor + server.PageSize;
        if (next < all.Count)
            reply.Headers["Link"] = $"<{server.Endpoint.AbsoluteUri.TrimEnd('/')}{call.Target.Split("&cursor=")[0]}&cursor={next}>; rel=\"next\"";
        return reply;
    }
}
