using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>The arguments that all runs of an experiment or a study share, by which a folder knows that it is gone on with and not another's.</summary>
internal static class SeriesKey
{
    // Where and how fast a run computes, what it says and where it stands do not change what comes out.
    private static readonly string[] WithoutEffect =
    [
        "output_dir", "overwrite_output_dir", "resume_from_checkpoint", "seed", "fold", "profile", "overwrite_cache", "token_cache", "max_time", "threads", "device",
        "report_to", "run_name", "logging_dir", "disable_tqdm", "do_train", "do_eval", "model_revision", "dataset_revision",
        "log_level", "use_cpu", "save_eval_predictions", "padding", "gradient_checkpointing", "auto_find_batch_size", "max_bad_rows", "logging_first_step",
        "include_tokens_per_second",
    ];

    /// <summary>Those of a request that are given and matter.</summary>
    internal static JsonObject Of(RunRequest request)
    {
        var json = new JsonObject();
        foreach (var part in new[]
                 {
                     ArgumentTable.Of<ModelArguments>().ToJson(request.Model), ArgumentTable.Of<DataArguments>().ToJson(request.Data),
                     ArgumentTable.Of<TrainingArguments>().ToJson(request.Training),
                 })
            foreach (var (name, value) in part)
                if (value is not null && !WithoutEffect.Contains(name)) json[name] = value.DeepClone();
        return json;
    }

    /// <summary>The first argument that is different now, in words; null where all are the same.</summary>
    internal static string? Difference(JsonObject before, JsonObject now)
    {
        foreach (var name in now.Select(pair => pair.Key).Concat(before.Select(pair => pair.Key)).Distinct())
            if (Said(before[name]) != Said(now[name])) return $"{name} was {Said(before[name])} and is {Said(now[name])} now";
        return null;
    }

    /// <summary>A value as the user would write it.</summary>
    internal static string Said(JsonNode? value) =>
        value is null ? "not given" : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : PythonJson.Write(value, ensureAscii: false);
}
