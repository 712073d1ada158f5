using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Hub;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune download</c>: a repository of the hub into the cache, or into a folder.</summary>
internal static class DownloadCommand
{
    internal static Verb Verb { get; } = new(
        "download", "Downloads a model or data set of the Hugging Face hub into the cache that Python uses too; prints its folder.",
        ("NAME", "The name, such as bert-base-uncased or org/name."),
        [new("Download", ArgumentTable.Of<DownloadArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune download bert-base-uncased", "attune download --repo-type dataset nyu-mll/glue --include \"sst2/*\""],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<DownloadArguments>();
        if (values.Texts is not [var name]) throw new UsageException("attune download takes one name, such as bert-base-uncased.");
        using var download = HubAccess.Open(terminal);
        if (what.DryRun)
        {
            Show(HubAccess.Run(stop => download.PlanAsync(name, what.RepoType, what.Revision, Choice(what), stop), terminal), output, terminal);
            return ExitCode.Success;
        }
        var done = HubAccess.Run(stop => download.DownloadAsync(name, what.RepoType, what.Revision, Choice(what), stop), terminal);
        if (!Directory.Exists(done.Name.Path)) throw NothingChosen(name);
        var folder = what.LocalDir is null ? done.Name.Path : Copy(done, what.LocalDir);
        var json = new JsonObject { ["path"] = folder, ["commit"] = done.Name.Commit, ["files"] = new JsonArray([.. done.Files.Select(file => (JsonNode)file.Path)]) };
        terminal.Result(output.Json ? PythonJson.Write(json, ensureAscii: false) : folder);
        return ExitCode.Success;
    }

    private static Func<IReadOnlyList<RepoFile>, IEnumerable<RepoFile>> Choice(DownloadArguments what) =>
        what.Include.Count + what.Exclude.Count > 0 ? all => FileChoice.ByPattern(all, what.Include, what.Exclude)
        : what.RepoType == RepoKind.Model ? FileChoice.Model : FileChoice.All;

    /// <summary>The sentence for a repository of which nothing was fetched.</summary>
    internal static AttuneException NothingChosen(string name) => new(
        $"{name} has no file on the hub that is wanted; \"attune download {name} --include '*' --dry-run\" lists what it has.");

    private static string Copy(Downloaded done, string folder)
    {
        foreach (var file in done.Files)
        {
            var place = RepoPath.Below(folder, file.Path);
            AtomicFile.CreateFolder(Path.GetDirectoryName(place)!);
            if (new FileInfo(place).LinkTarget is not null) File.Delete(place);       // into a cache, as older tools did it: what lies there stays
            using var from = new FileStream(RepoPath.Below(done.Name.Path, file.Path), FileMode.Open, FileAccess.Read, FileShare.Read, 0);
            AtomicFile.Write(place, from.CopyTo);
        }
        return Path.GetFullPath(folder);
    }

    private static void Show(DownloadPlan plan, OutputArguments output, Terminal terminal)
    {
        var missing = plan.Missing.ToHashSet();
        if (output.Json)
        {
            terminal.Result(PythonJson.Write(new JsonObject
            {
                ["commit"] = plan.Commit,
                ["bytes"] = plan.Missing.Sum(file => file.Size),
                ["files"] = new JsonArray([.. plan.Files.Select(file => new JsonObject
                {
                    ["path"] = file.Path, ["size"] = file.Size, ["cached"] = !missing.Contains(file),
                })]),
            }, ensureAscii: false));
            return;
        }
        foreach (var file in plan.Files) terminal.Result($"{ByteSize.Words(file.Size),10}  {(missing.Contains(file) ? "new   " : "cached")}  {file.Path}");
        terminal.Result($"{plan.Missing.Count} of {plan.Files.Count} files would be fetched, " +
            $"{ByteSize.Words(plan.Missing.Sum(file => file.Size))}, from the commit {plan.Commit} of the {plan.Repo}.");
    }
}
