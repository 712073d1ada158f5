using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>What a push did.</summary>
/// <param name="Repo">The repository.</param>
/// <param name="Commit">The commit that was made; null where the hub had all files already.</param>
/// <param name="Files">The files of the commit.</param>
/// <param name="Page">Where to look at it.</param>
internal sealed record Pushed(HubRepo Repo, string? Commit, IReadOnlyList<string> Files, string Page);

/// <summary>Pushes a folder to the hub as one commit: all of it is there or nothing.</summary>
/// <remarks>Large files go before, to their storage, and only what it lacks.</remarks>
internal sealed class HubPush(HubHttp http, Action<TransferProgress> report)
{
    private const int FilesAtOnce = 256;
    private const string Branch = "main";

    // Rows of the user's data that could not be used, and the arguments of the run, which name folders of this machine.
    private const string BadRows = ".bad-rows.jsonl", Arguments = "attune_config.json";

    /// <summary>Why the repository could not be made, where the hub forbids that: it may be there all the same.</summary>
    private AttuneException? _notMade;

    private HubSettings Settings => http.Settings;

    /// <summary>Whether folders of checkpoints are pushed too. Default false.</summary>
    internal bool WithCheckpoints { get; init; }

    /// <summary>Pushes.</summary>
    /// <param name="folder">What to push; what stays docs/hub.md says.</param>
    /// <param name="name">The repository; without an organisation that of the token's account. It is made where there is none.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="isPrivate">Whether a new one is private.</param>
    /// <param name="revision">The branch, which is made where there is none; null for main.</param>
    /// <param name="message">The commit's message.</param>
    /// <param name="stop">Stops it; nothing is committed then.</param>
    /// <exception cref="AttuneException">There is nothing to push, no token, the hub refuses, or cannot be reached.</exception>
    internal async Task<Pushed> RunAsync(string folder, string name, RepoKind kind, bool isPrivate, string? revision, string message, CancellationToken stop)
    {
        try
        {
            var files = FilesOf(folder, WithCheckpoints);
            if (Settings.IsOffline) throw new AttuneException("HF_HUB_OFFLINE (or its like) is set, so nothing is pushed; unset it.");
            if (Settings.Token is null) throw new AttuneException("Pushing needs a token of the hub that may write; log in by attune login, or set HF_TOKEN.");
            var repo = new HubRepo(kind, await FullNameAsync(name, kind, revision, stop));
            await CreateAsync(repo, isPrivate, stop);
            var branch = revision ?? Branch;
            if (branch != Branch) await CreateBranchAsync(repo, branch, stop);
            var changed = await ChangedAsync(repo, branch, files, stop);
            if (changed.Count == 0) return new Pushed(repo, null, [], repo.Page(Settings));
            await new LfsUpload(http, repo, branch, report).RunAsync([.. changed.Where(file => file.IsLarge)], stop);
            return new Pushed(repo, await CommitAsync(repo, branch, changed, message, stop), [.. changed.Select(file => file.Path)], repo.Page(Settings));
        }
        catch (UnreachableException e)
        {
            throw e.With("check the network and HF_ENDPOINT and give the same command again; what was sent is not sent again");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{folder} cannot be read: {e.Message.TrimEnd('.')}; check its permissions, and whether a program still writes it.", e);
        }
    }

    /// <summary>The files of a folder that are pushed.</summary>
    internal static IReadOnlyList<UploadFile> FilesOf(string folder, bool withCheckpoints = false)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder} is no folder; give the folder of a model, such as trainer_output.");
        var paths = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(path => path.Split('/').All(part => IsPushed(part, withCheckpoints)) && !AtomicFile.IsLeftOver(path)).Order(StringComparer.Ordinal).ToList();
        if (paths.Find(path => !RepoPath.IsSafe(path)) is { } odd)
            throw new AttuneException($"{folder}: {Shown.Of(odd)} can be no file on every system; rename it.");
        return paths.Count > 0 ? [.. paths.Select(path => new UploadFile(folder, path))]
            : throw new AttuneException($"{folder} has no file to push; files that begin with a dot or an underscore and checkpoints stay here.");
    }

    private static bool IsPushed(string part, bool withCheckpoints) =>
        part[0] is not ('.' or '_') && !part.EndsWith(BadRows, StringComparison.OrdinalIgnoreCase) && part != Arguments && (withCheckpoints || !part.StartsWith("checkpoint-", StringComparison.Ordinal));

    private async Task<string> FullNameAsync(string name, RepoKind kind, string? revision, CancellationToken stop)
    {
        // Checks the name; pushing goes to the very name that was given, not to another of the same repository.
        HubCache.Parse(name, kind, revision);
        return name.Contains('/', StringComparison.Ordinal) ? name : $"{(await HubAccount.AskAsync(http, null, stop)).Name}/{name}";
    }

    private async Task CreateAsync(HubRepo repo, bool isPrivate, CancellationToken stop)
    {
        var parts = repo.Name.Split('/');
        var body = new JsonObject { ["name"] = parts[1], ["organization"] = parts[0], ["type"] = repo.Kind == RepoKind.Model ? "model" : "dataset" };
        if (isPrivate) body["visibility"] = "private";
        using var answer = await http.SendAsync(Post(new Uri($"{Settings.Address}/api/repos/create"), Json(body)), stop);
        if (answer.IsDone || answer.Status == HttpStatusCode.Conflict) return;
        var refusal = HubRefusal.Of(answer, repo, Branch, null, Settings);
        _notMade = answer.Status == HttpStatusCode.Forbidden ? refusal : throw refusal;
    }

    private async Task CreateBranchAsync(HubRepo repo, string branch, CancellationToken stop)
    {
        using var answer = await http.SendAsync(Post(repo.Api(Settings, "branch", branch), Json([])), stop);
        if (!answer.IsDone && answer.Status != HttpStatusCode.Conflict) throw Refusal(answer, repo, branch);
    }

    /// <summary>Asks how the hub wants each file, and leaves out what it has already.</summary>
    private async Task<List<UploadFile>> ChangedAsync(HubRepo repo, string branch, IReadOnlyList<UploadFile> files, CancellationToken stop)
    {
        var changed = new List<UploadFile>();
        foreach (var some in files.Chunk(FilesAtOnce))
        {
            var body = new JsonObject
            {
                ["files"] = new JsonArray([.. some.Select(file => new JsonObject { ["path"] = file.Path, ["sample"] = file.Sample(), ["size"] = file.Size })]),
            };
            var (json, _) = await http.JsonAsync(
                Post(repo.Api(Settings, "preupload", branch), Json(body)), answer => Refusal(answer, repo, branch), stop);
            var modes = ((json as JsonObject)?["files"] as JsonArray ?? []).OfType<JsonObject>().DistinctBy(mode => mode["path"]?.ToString())
                .ToDictionary(mode => mode["path"]?.ToString() ?? "");
            foreach (var file in some)
            {
                if (!modes.TryGetValue(file.Path, out var mode)) throw HubRefusal.Strange(Settings);
                if (mode["shouldIgnore"]?.ToString() == "true") continue;
                file.IsLarge = mode["uploadMode"]?.ToString() == "lfs" && file.Size > 0;           // the storage takes no empty files
                file.ComputeHash();
                if (mode["oid"]?.ToString() != file.Hash) changed.Add(file);
            }
        }
        return changed;
    }

    /// <summary>One commit with all files: small ones in it, large ones by their hashes.</summary>
    private async Task<string> CommitAsync(HubRepo repo, string branch, IReadOnlyList<UploadFile> files, string message, CancellationToken stop)
    {
        var lines = files.Select(file => file.IsLarge
            ? Line("lfsFile", new JsonObject { ["path"] = file.Path, ["algo"] = "sha256", ["oid"] = file.Hash, ["size"] = file.Size })
            : Line("file", new JsonObject
            {
                ["content"] = Convert.ToBase64String(File.ReadAllBytes(file.Place)),
                ["path"] = file.Path,
                ["encoding"] = "base64",
            }));
        var body = Encoding.UTF8.GetBytes(string.Concat(lines.Prepend(Line("header", new JsonObject { ["summary"] = message, ["description"] = "" }))));
        // Not tried again by itself: it may have been made though its answer was lost.
        var request = Post(repo.Api(Settings, "commit", branch),
            () => new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-ndjson") } });
        var (json, _) = await http.JsonAsync(request with { Retries = 0 }, answer => HubRefusal.Of(answer, repo, branch, null, Settings), stop);
        return (json as JsonObject)?["commitOid"]?.ToString() ?? throw HubRefusal.Strange(Settings);

        static string Line(string key, JsonObject value) => new JsonObject { ["key"] = key, ["value"] = value }.ToJsonString() + "\n";
    }

    /// <summary>Where there is no repository, why it was not made says more.</summary>
    private AttuneException Refusal(HubAnswer answer, HubRepo repo, string branch) =>
        _notMade is not null && HubRefusal.IsAbsent(answer) ? _notMade
        : HubRefusal.Of(answer, repo, branch, null, Settings);

    private static HubRequest Post(Uri address, Func<HttpContent> body) =>
        new(HttpMethod.Post, address) { Body = _ => body(), Patience = TimeSpan.FromMinutes(2), DemandsToken = true };

    private static Func<HttpContent> Json(JsonObject body) => () => new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
}
