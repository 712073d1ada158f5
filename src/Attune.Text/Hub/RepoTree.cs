using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>The list of a repository's files at a commit: from the hub, page by page, or as huggingface_hub keeps it beside the snapshots.</summary>
internal static class RepoTree
{
    private const int FormatVersion = 1, MostPages = 10_000, MostFiles = 1 << 20;

    /// <summary>No file of a hub is larger. The sizes of all files together stay far from where they could not be counted.</summary>
    private const long MostBytes = 1L << 42;

    /// <summary>Asks the hub.</summary>
    /// <exception cref="AttuneException">It refuses, or answers with something else.</exception>
    /// <exception cref="UnreachableException">It does not answer.</exception>
    internal static async Task<IReadOnlyList<RepoFile>> AskAsync(HubHttp http, HubRepo repo, string commit, CancellationToken stop, int retries = Waits.Retries)
    {
        var files = new List<RepoFile>();
        var page = repo.Api(http.Settings, "tree", commit, "?recursive=true&expand=false");
        for (var pages = 0; ; pages++)
        {
            var (json, link) = await http.JsonAsync(new HubRequest(HttpMethod.Get, page) { Patience = http.Settings.MetadataTimeout, Retries = retries },
                answer => HubRefusal.Of(answer, repo, commit, null, http.Settings), stop);
            if (json is not JsonArray entries) throw HubRefusal.Strange(http.Settings);
            foreach (var entry in entries)
                if (Text(entry, "type") == "file") files.Add(Read(entry!, http.Settings));
            if (files.Count > MostFiles) throw HubRefusal.Strange(http.Settings);
            if (Next(link, page) is not { } next) return files;
            if (pages == MostPages) throw HubRefusal.Strange(http.Settings);
            // The next page is asked for with the token, so of this hub, also where a mirror passes on another's address.
            page = new Uri(http.Settings.Endpoint, next.PathAndQuery);
        }
    }

    /// <summary>What was kept; null where nothing was, or something that cannot be read.</summary>
    internal static IReadOnlyList<RepoFile>? Load(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            if (PythonJson.ReadFile(path) is not JsonObject kept || Number(kept, "format_version") != FormatVersion ||
                kept["files"] is not JsonObject files) return null;
            var all = files.Select(file => (
                Path: file.Key, Size: Number(file.Value, "size"), Id: Text(file.Value, "blob_id"), Lfs: Text(file.Value, "lfs_sha256"),
                Xet: Text(file.Value, "xet_hash"))).ToList();
            return all.Count <= MostFiles && all.TrueForAll(file => file.Size is >= 0 and <= MostBytes && ContentHash.IsKnown(file.Lfs ?? file.Id ?? ""))
                ? [.. all.Select(file => new RepoFile(file.Path, file.Size!.Value, file.Id ?? "", file.Lfs, file.Xet))] : null;
        }
        catch (AttuneException)
        {
            return null;
        }
    }

    /// <summary>Keeps a list, in the form of huggingface_hub.</summary>
    internal static void Save(string path, IEnumerable<RepoFile> files)
    {
        var kept = new JsonObject();
        foreach (var file in files.OrderBy(file => file.Path, CodePointOrder.Instance))
        {
            var entry = new JsonObject { ["size"] = file.Size, ["blob_id"] = file.BlobId };
            if (file.LfsSha256 is { } sha) (entry["lfs_sha256"], entry["lfs_size"]) = (sha, file.Size);
            if (file.XetHash is { } xet) entry["xet_hash"] = xet;
            kept[file.Path] = entry;
        }
        AtomicFile.WriteText(path, PythonJson.Write(new JsonObject { ["format_version"] = FormatVersion, ["files"] = kept }, indent: 1));
    }

    private static RepoFile Read(JsonNode entry, HubSettings settings)
    {
        var lfs = entry["lfs"] as JsonObject;
        var file = new RepoFile(
            Text(entry, "path") ?? "", Number(lfs, "size") ?? Number(entry, "size") ?? -1, Text(entry, "oid") ?? "", Text(lfs, "oid"), Text(entry, "xetHash"));
        return file.Size is >= 0 and <= MostBytes && ContentHash.IsKnown(file.Hash) && file.Path.Length > 0 ? file : throw HubRefusal.Strange(settings);
    }

    /// <summary>The address of the next page, in a header such as &lt;https://...&gt;; rel="next".</summary>
    private static Uri? Next(string? link, Uri page)
    {
        foreach (var part in link?.Split(',') ?? [])
        {
            var (start, end) = (part.IndexOf('<', StringComparison.Ordinal), part.IndexOf('>', StringComparison.Ordinal));
            if (start >= 0 && end > start && part.AsSpan(end).Contains("rel=\"next\"", StringComparison.Ordinal) &&
                Uri.TryCreate(page, part[(start + 1)..end], out var next)) return next;
        }
        return null;
    }

    private static string? Text(JsonNode? node, string key) =>
        (node as JsonObject)?[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static long? Number(JsonNode? node, string key) =>
        (node as JsonObject)?[key] is JsonValue value && value.TryGetValue(out long number) ? number : null;
}
