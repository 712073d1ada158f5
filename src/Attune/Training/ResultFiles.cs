using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;

namespace Attune.Training;

/// <summary>The files of results, as transformers' scripts leave them: sorted keys, four spaces.</summary>
internal static class ResultFiles
{
    internal static void Write(string folder, string split, IReadOnlyDictionary<string, double> metrics)
    {
        var all = Path.Combine(folder, CheckpointFiles.AllResults);
        var merged = File.Exists(all) ? PythonJson.ReadFile(all) as JsonObject ?? [] : [];
        foreach (var (name, value) in metrics) merged[name] = TrainerStateJson.Number(name, value);
        Write(Path.Combine(folder, CheckpointFiles.Results(split)), TrainerStateJson.Entry(metrics));
        Write(all, merged);
    }

    private static void Write(string path, JsonObject values) => AtomicFile.WriteText(path, PythonJson.Write(values, indent: 4, sortKeys: true));
}
