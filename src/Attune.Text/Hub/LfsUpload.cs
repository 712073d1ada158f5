using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Hub;

/// <summary>Sends large files to the storage that the hub names, in one piece or in parts, each only where it lacks it.</summary>
internal sealed class LfsUpload(HubHttp http, HubRepo repo, string branch, Action<TransferProgress> report)
{
    private const int FilesAtOnce = 256;
    private const string MediaType = "application/vnd.git-lfs+json";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, long> _sent = [];

    private HubSettings Settings => http.Settings;

    /// <summary>Sends what the hub lacks.</summary>
    internal async Task RunAsync(IReadOnlyList<UploadFile> files, CancellationToken stop)
    {
        var wanted = new List<(UploadFile File, JsonObject Actions)>();
        foreach (var some in files.DistinctBy(file => file.Hash).Chunk(FilesAtOnce)) wanted.AddRange(await AskAsync(some, stop));
        var done = 0;
        foreach (var (file, actions) in wanted)
        {
            var upload = actions["upload"] as JsonObject ?? throw HubRefusal.Strange(Settings);
            void Sent(long bytes) => Report(wanted, done, file, bytes, isDone: false);
            Sent(0);
            if (upload["header"] is JsonObject header && header["chunk_size"] is { } size)
                await SendPartsAsync(file, Address(upload), header, size.ToString(), Sent, stop);
            else using (await PutAsync(file, Address(upload), 0, file.Size, 0, Sent, stop)) { }
            if (actions["verify"] is JsonObject verify) await VerifyAsync(file, Address(verify), stop);
            Report(wanted, ++done, file, file.Size, isDone: true);
        }
    }

    private void Report(List<(UploadFile File, JsonObject Actions)> wanted, int done, UploadFile file, long bytes, bool isDone)
    {
        _sent[file.Path] = bytes;
        report(new TransferProgress(repo.ToString(), wanted.Count, done, wanted.Sum(one => one.File.Size), _sent.Values.Sum(), file.AsRepoFile(), isDone));
    }

    /// <summary>Which files the storage lacks, and where they shall go.</summary>
    private async Task<List<(UploadFile File, JsonObject Actions)>> AskAsync(UploadFile[] files, CancellationToken stop)
    {
        var body = new JsonObject
        {
            ["operation"] = "upload",
            ["transfers"] = new JsonArray("basic", "multipart"),
            ["objects"] = new JsonArray([.. files.Select(file => new JsonObject { ["oid"] = file.Hash, ["size"] = file.Size })]),
            ["hash_algo"] = "sha256",
            ["ref"] = new JsonObject { ["name"] = branch },
        };
        var address = new Uri($"{repo.Page(Settings)}.git/info/lfs/objects/batch");
        var (json, _) = await http.JsonAsync(Post(address, body), answer => HubRefusal.Of(answer, repo, branch, null, Settings), stop);
        var byHash = files.ToDictionary(file => file.Hash);
        var wanted = new List<(UploadFile, JsonObject)>();
        foreach (var entry in ((json as JsonObject)?["objects"] as JsonArray ?? throw HubRefusal.Strange(Settings)).OfType<JsonObject>())
        {
            if (!byHash.TryGetValue(entry["oid"]?.ToString() ?? "", out var file)) throw HubRefusal.Strange(Settings);
            if (entry["error"] is JsonObject error)
                throw new AttuneException($"{Settings.Address} does not take {file.Path}: {Formats.Shown.Of(error["message"]?.ToString() ?? "").Trim('"')}.");
            if (entry["actions"] is JsonObject actions && actions["upload"] is not null) wanted.Add((file, actions));
        }
        return wanted;
    }

    /// <summary>Sends a file in parts of a size that the hub sets, and says in the end which parts there are.</summary>
    private async Task SendPartsAsync(UploadFile file, Uri completion, JsonObject header, string size, Action<long> sent, CancellationToken stop)
    {
        var addresses = header.Where(entry => entry.Key.All(char.IsAsciiDigit) && entry.Key.Length is > 0 and < 10)
            .OrderBy(entry => int.Parse(entry.Key, CultureInfo.InvariantCulture)).Select(entry => Checked(entry.Value?.ToString())).ToList();
        if (!long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) || bytes == 0 ||
            addresses.Count != (file.Size + bytes - 1) / bytes)
            throw HubRefusal.Strange(Settings);
        var parts = new JsonArray();
        for (var i = 0; i < addresses.Count; i++)
        {
            var from = i * bytes;
            using var answer = await PutAsync(file, addresses[i], from, Math.Min(bytes, file.Size - from), from, sent, stop);
            parts.Add(new JsonObject { ["partNumber"] = i + 1, ["etag"] = answer.Header("ETag") ?? throw HubRefusal.Strange(Settings) });
        }
        using var done = await http.SendAsync(Post(completion, new JsonObject { ["oid"] = file.Hash, ["parts"] = parts }), stop);
        if (!done.IsDone) throw Refused(file, done);
    }

    private async Task<HubAnswer> PutAsync(UploadFile file, Uri address, long from, long count, long before, Action<long> sent, CancellationToken stop)
    {
        var answer = await http.SendAsync(new HubRequest(HttpMethod.Put, address)
        {
            Body = stillMoving =>
            {
                var done = before;
                return new FilePart(file.Place, from, count, piece =>
                {
                    stillMoving();
                    sent(done += piece);
                });
            },
            Patience = Patience,
        }, stop);
        if (answer.IsDone) return answer;
        answer.Dispose();
        throw Refused(file, answer);
    }

    private async Task VerifyAsync(UploadFile file, Uri address, CancellationToken stop)
    {
        using var answer = await http.SendAsync(Post(address, new JsonObject { ["oid"] = file.Hash, ["size"] = file.Size }), stop);
        if (!answer.IsDone) throw Refused(file, answer);
    }

    private static HubRequest Post(Uri address, JsonObject body) => new(HttpMethod.Post, address)
    {
        Body = _ => new StringContent(body.ToJsonString(), Encoding.UTF8, MediaTypeHeaderValue.Parse(MediaType)),
        Accept = new MediaTypeWithQualityHeaderValue(MediaType),
        Patience = Patience,
        DemandsToken = true,
    };

    private Uri Address(JsonObject action) => Checked(action["href"]?.ToString());

    private Uri Checked(string? address) => Uri.TryCreate(address, UriKind.Absolute, out var place) &&
        (place.Scheme == Uri.UriSchemeHttps || place.Scheme == Settings.Endpoint.Scheme) ? place : throw HubRefusal.Strange(Settings);

    private static AttuneException Refused(UploadFile file, HubAnswer answer) =>
        new($"The hub's storage does not take {file.Path} ({(int)answer.Status}); give the same command again, " +
            "and if that does not help, see whether the file is in use.");
}
