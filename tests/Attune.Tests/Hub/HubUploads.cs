using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Tests.Hub;

/// <summary>The part of the hub on this machine that takes what is pushed, and looks hard at it.</summary>
internal sealed class HubUploads(HubServer server)
{
    private readonly Dictionary<string, byte[]> _stored = [];
    private readonly Dictionary<string, SortedDictionary<int, byte[]>> _parts = [];

    /// <summary>Who owns the token.</summary>
    internal string Account { get; set; } = "someone";

    /// <summary>From which size on the storage wants parts of that size.</summary>
    internal int PartSize { get; set; } = int.MaxValue;

    /// <summary>Names of repositories that were made, with what was said of them.</summary>
    internal Dictionary<string, JsonObject> Created { get; } = [];

    /// <summary>Messages of the commits.</summary>
    internal List<string> Messages { get; } = [];

    internal HubReply? Answer(HubCall call)
    {
        var path = call.Target.Split('?')[0].Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (call.IsStorage && call.Method == "PUT") return call.Token is not null ? new HubReply(400) : Store(call, path);
        HubReply? reply = (call.Method, path) switch
        {
            ("GET", ["api", "whoami-v2"]) => HubReply.Json("{\"name\": \"" + Account + "\", \"auth\": {\"accessToken\": {\"role\": \"write\"}}}"),
            ("POST", ["api", "repos", "create"]) => Create(Body(call)),
            ("POST", ["api", var kind, var org, var name, "branch", var branch]) => Branch(Repository(kind, org, name), Uri.UnescapeDataString(branch)),
            ("POST", ["api", var kind, var org, var name, "preupload", var branch]) => Preupload(Repository(kind, org, name), Uri.UnescapeDataString(branch), Body(call)),
            ("POST", ["api", var kind, var org, var name, "commit", var branch]) => Commit(Repository(kind, org, name), Uri.UnescapeDataString(branch), call),
            ("POST", [.., "info", "lfs", "objects", "batch"]) => Batch(call, Body(call)),
            ("POST", ["complete", var hash]) => Complete(hash, Body(call)),
            ("POST", ["verify"]) => new HubReply(_stored.GetValueOrDefault(Body(call)["oid"]!.ToString())?.Length == (int)Body(call)["size"]! ? 200 : 422),
            _ => null,
        };
        return reply is not null && call.Token != "Bearer " + server.Token ? HubReply.Refused(401, "", "Invalid user token.") : reply;
    }

    private static JsonObject Body(HubCall call) => JsonNode.Parse(call.Body)!.AsObject();

    private HubRepository Repository(string kind, string org, string name) => server.Repositories[$"{kind}/{org}/{name}"];

    private HubReply Create(JsonObject what)
    {
        var name = $"{what["type"]}s/{what["organization"]}/{what["name"]}";
        if (server.Repositories.ContainsKey(name)) return new HubReply(409);
        server.Add(name).Commit([]);
        Created.Add(name, what);
        return HubReply.Json("{\"url\": \"here\"}");
    }

    private static HubReply Branch(HubRepository repository, string branch) =>
        new(repository.Branches.TryAdd(branch, repository.Branches["main"]) ? 201 : 409);

    private static HubReply Preupload(HubRepository repository, string branch, JsonObject body) => HubReply.Json(new JsonObject
    {
        ["files"] = new JsonArray([.. body["files"]!.AsArray().Select(file =>
        {
            var path = file!["path"]!.ToString();
            Assert.InRange(Convert.FromBase64String(file["sample"]!.ToString()).Length, 0, 512);
            return (JsonNode)new JsonObject
            {
                ["path"] = path,
                ["uploadMode"] = HubRepository.IsLarge(path) ? "lfs" : "regular",
                ["shouldIgnore"] = path.EndsWith(".ignored", StringComparison.Ordinal),
                ["oid"] = repository.Files(branch).TryGetValue(path, out var content) ? content.Length == 0 ? HubRepository.GitHash(content) : HubRepository.Hash(path, content) : null,
            };
        })]),
    }.ToJsonString());

    private HubReply Batch(HubCall call, JsonObject body)
    {
        Assert.Equal("application/vnd.git-lfs+json", call.Headers["Accept"]);
        Assert.Equal("application/vnd.git-lfs+json", call.Headers["Content-Type"]);
        Assert.Equal(("upload", "sha256"), (body["operation"]!.ToString(), body["hash_algo"]!.ToString()));
        return HubReply.Json(new JsonObject { ["transfer"] = "basic", ["objects"] = new JsonArray([.. body["objects"]!.AsArray().Select(file => Actions(file!))]) }.ToJsonString());
    }

    private JsonObject Actions(JsonNode file)
    {
        var (hash, size) = (file["oid"]!.ToString(), (int)file["size"]!);
        var answer = new JsonObject { ["oid"] = hash, ["size"] = size };
        if (_stored.ContainsKey(hash)) return answer;
        var hub = server.Endpoint.AbsoluteUri;
        var upload = new JsonObject { ["href"] = $"{server.Storage}upload/{hash}?signature=abc" };
        if (size > PartSize)
        {
            var header = new JsonObject { ["chunk_size"] = PartSize.ToString(CultureInfo.InvariantCulture) };
            for (var i = 0; i * (long)PartSize < size; i++) header[$"{i + 1}"] = $"{server.Storage}part/{hash}/{i + 1}?signature=abc";
            upload = new JsonObject { ["href"] = $"{hub}complete/{hash}", ["header"] = header };
        }
        answer["actions"] = new JsonObject { ["upload"] = upload, ["verify"] = new JsonObject { ["href"] = $"{hub}verify" } };
        return answer;
    }

    private HubReply Store(HubCall call, string[] path)
    {
        if (path is ["upload", var hash]) return Keep(hash, call.Body);
        if (!_parts.TryGetValue(path[1], out var parts)) _parts.Add(path[1], parts = []);
        parts[int.Parse(path[2], CultureInfo.InvariantCulture)] = call.Body;
        return new HubReply(200) { Headers = { ["ETag"] = $"\"part {path[2]}\"" } };
    }

    private HubReply Complete(string hash, JsonObject body)
    {
        Assert.Equal(hash, body["oid"]!.ToString());
        Assert.Equal(_parts[hash].Keys.Select(number => (number, $"\"part {number}\"")), body["parts"]!.AsArray().Select(part => ((int)part!["partNumber"]!, part["etag"]!.ToString())));
        return Keep(hash, [.. _parts[hash].Values.SelectMany(part => part)]);
    }

    private HubReply Keep(string hash, byte[] content)
    {
        if (Convert.ToHexStringLower(SHA256.HashData(content)) != hash) return new HubReply(400);
        _stored[hash] = content;
        return new HubReply(200);
    }

    private HubReply Commit(HubRepository repository, string branch, HubCall call)
    {
        Assert.Equal("application/x-ndjson", call.Headers["Content-Type"]);
        var files = new Dictionary<string, byte[]>(repository.Files(branch));
        foreach (var line in Encoding.UTF8.GetString(call.Body).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!))
        {
            var value = line["value"]!;
            switch (line["key"]!.ToString())
            {
                case "header":
                    Messages.Add(value["summary"]!.ToString());
                    break;
                case "file":
                    files[value["path"]!.ToString()] = Convert.FromBase64String(value["content"]!.ToString());
                    break;
                case "lfsFile":
                    if (!_stored.TryGetValue(value["oid"]!.ToString(), out var content)) return new HubReply(400);
                    files[value["path"]!.ToString()] = content;
                    break;
                default:
                    return new HubReply(400);
            }
        }
        return HubReply.Json($$"""{"success": true, "commitOid": "{{repository.Commit(files.Select(file => (file.Key, file.Value)), branch)}}"}""");
    }
}
