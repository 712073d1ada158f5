using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Hub;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune cache</c>: what was downloaded from the hub.</summary>
internal static class CacheCommand
{
    private const int ShortCommit = 8;

    internal static Verb Verb { get; } = new(
        "cache", "Lists, removes and checks what was downloaded from the hub.",
        ("ls | rm | verify", "What to do, and the names of repositories; rm needs them, the others take all."),
        [new("Cache", ArgumentTable.Of<CacheArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune cache ls", "attune cache rm bert-base-uncased --revision v1", "attune cache verify"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<CacheArguments>();
        var cache = HubCache.Folder();
        var names = values.Texts.Skip(1).ToList();
        switch (values.Texts is [var first, ..] ? first : null)
        {
            case "ls":
                List(Find(cache, what, names), cache, output, terminal);
                return ExitCode.Success;
            case "rm" when names.Count > 0:
                Remove(Find(cache, what, names), what, output, terminal);
                return ExitCode.Success;
            case "verify":
                return Verify(Find(cache, what, names), output, terminal);
            default:
                throw new UsageException("attune cache takes ls, rm NAME or verify as its first words.");
        }
    }

    private static List<CachedRepo> Find(string cache, CacheArguments what, IEnumerable<string> names)
    {
        var all = CachedRepo.All(cache).Where(repo => what.RepoType is null || repo.Kind == what.RepoType).ToList();
        var found = new List<CachedRepo>();
        foreach (var name in names)
        {
            var repos = all.Where(repo => repo.Name == name || RepoName.TryParse(name, repo.Kind, out var forms, out _) && forms.Contains(repo.Name)).ToList();
            if (repos.Count == 0)
                throw new AttuneException($"The cache {cache} has no repository {Shown.Of(name)}; see attune cache ls." +
                    $"{Spelling.DidYouMean(name, all.Select(repo => repo.Name))}");
            if (repos.Select(repo => repo.Kind).Distinct().Count() > 1)
                throw new AttuneException($"The cache has both a model and a data set {Shown.Of(name)}; say which by --repo-type.");
            found.AddRange(repos);
        }
        return found.Count > 0 ? found : all;
    }

    private static void List(List<CachedRepo> repos, string cache, OutputArguments output, Terminal terminal)
    {
        if (output.Json)
        {
            terminal.Result(PythonJson.Write(new JsonObject { ["cache"] = cache, ["repos"] = new JsonArray([.. repos.Select(AsJson)]) }, ensureAscii: false));
            return;
        }
        foreach (var repo in repos)
        {
            var revisions = repo.Revisions();
            terminal.Result($"{ByteSize.Words(repo.BytesOnDisk()),10}  used {Day(repo.LastUsed())}  {repo}  " +
                (revisions.Count == 0 ? "(nothing whole)" : string.Join(", ", revisions.Select(Said))));
        }
        terminal.Result($"{repos.Count} {(repos.Count == 1 ? "repository" : "repositories")}, " +
            $"{ByteSize.Words(repos.Sum(repo => repo.BytesOnDisk()))}, in {cache}.");
    }

    private static void Remove(List<CachedRepo> repos, CacheArguments what, OutputArguments output, Terminal terminal)
    {
        var (before, removed) = (repos.Sum(repo => repo.BytesOnDisk()), new JsonArray());
        foreach (var repo in repos)
        {
            var revision = what.Revision is null ? null : repo.Find(what.Revision) ?? throw new AttuneException(
                $"The {repo} has no revision {Shown.Of(what.Revision)} in the cache; it has {string.Join(", ", repo.Revisions().Select(Said))}.");
            terminal.Tell($"{(what.DryRun ? "Would remove" : "Removes")} {(revision is null ? "" : $"the revision {Said(revision)} of ")}the {repo}.");
            removed.Add(new JsonObject { ["name"] = repo.Name, ["commit"] = revision?.Commit });
            if (what.DryRun) continue;
            if (revision is null) repo.Remove();
            else repo.Remove(revision);
        }
        var freed = before - repos.Sum(repo => repo.BytesOnDisk());
        if (output.Json) terminal.Result(PythonJson.Write(new JsonObject { ["removed"] = removed, ["freed"] = freed }, ensureAscii: false));
        else if (!what.DryRun) terminal.Result($"{ByteSize.Words(freed)} are free again.");
    }

    private static int Verify(List<CachedRepo> repos, OutputArguments output, Terminal terminal)
    {
        var (right, wrong) = (0, new List<string>());
        foreach (var repo in repos)
        {
            terminal.Status($"checking the {repo}");
            var found = HubAccess.Run(stop => Task.Run(() => repo.Verify(stop), stop), terminal);
            if (!output.Json && (found.Wrong.Count > 0 || !output.Quiet))
                terminal.Result(found.Wrong.Count == 0 ? $"ok       the {repo}: {found.Right} files"
                    : $"DAMAGED  the {repo}: {string.Join(", ", found.Wrong)}\n" +
                    $"         -> attune cache rm {repo.Name}, then download it again.");
            right += found.Right;
            wrong.AddRange(found.Wrong);
        }
        var json = new JsonObject { ["right"] = right, ["wrong"] = new JsonArray([.. wrong.Select(file => (JsonNode)file)]) };
        if (output.Json) terminal.Result(PythonJson.Write(json, ensureAscii: false));
        return wrong.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static JsonNode AsJson(CachedRepo repo) => new JsonObject
    {
        ["name"] = repo.Name,
        ["repo_type"] = Argument.ToJson(repo.Kind),
        ["bytes"] = repo.BytesOnDisk(),
        ["last_used"] = Moment(repo.LastUsed()),
        ["revisions"] = new JsonArray([.. repo.Revisions().Select(revision => (JsonNode)new JsonObject
        {
            ["commit"] = revision.Commit,
            ["refs"] = new JsonArray([.. revision.References.Select(name => (JsonNode)name)]),
            ["files"] = revision.Files,
            ["bytes"] = revision.Bytes,
            ["last_modified"] = Moment(revision.Changed),
        })]),
    };

    private static string Said(CachedRevision revision)
    {
        var commit = revision.Commit.Length > ShortCommit ? revision.Commit[..ShortCommit] : revision.Commit;
        return revision.References.Count == 0 ? commit : $"{string.Join(", ", revision.References)} ({commit})";
    }

    private static string Day(DateTime time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Moment(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
