using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Checkpoints;

/// <summary><c>trainer_state.json</c>, key by key as transformers writes it.</summary>
internal static class TrainerStateJson
{
    internal static void Write(TrainerState state, string folder) =>
        PythonJson.WriteFile(Path.Combine(folder, CheckpointFiles.TrainerState), ToJson(state));

    /// <summary>Numbers as transformers writes them: counts without a point, and 0 too where nothing has been added to it yet.</summary>
    internal static JsonNode Number(string name, double value)
    {
        var isCount = name is "step" or "num_input_tokens_seen" || name.EndsWith("_samples", StringComparison.Ordinal) || name.EndsWith("_samples_mm", StringComparison.Ordinal);
        var startsAtZero = name is "epoch" or "total_flos";
        return isCount || startsAtZero && value == 0 ? JsonValue.Create((long)value) : JsonValue.Create(value);
    }

    internal static JsonObject Entry(IReadOnlyDictionary<string, double> entry) =>
        new(entry.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Number(pair.Key, pair.Value))));

    internal static JsonObject ToJson(TrainerState state) => new()
    {
        ["best_global_step"] = state.BestGlobalStep,
        ["best_metric"] = state.BestMetric,
        ["best_model_checkpoint"] = state.BestModelCheckpoint,
        ["epoch"] = state.Epoch is { } epoch ? Number("epoch", epoch) : null,
        ["eval_steps"] = state.EvalSteps,
        ["global_step"] = state.GlobalStep,
        ["is_hyper_param_search"] = false,
        ["is_local_process_zero"] = true,
        ["is_world_process_zero"] = true,
        ["log_history"] = new JsonArray([.. state.LogHistory.Select(Entry)]),
        ["logging_steps"] = state.LoggingSteps,
        ["max_steps"] = state.MaxSteps,
        ["num_input_tokens_seen"] = state.NumInputTokensSeen,
        ["num_train_epochs"] = state.NumTrainEpochs,
        ["save_steps"] = state.SaveSteps,
        ["stateful_callbacks"] = state.StatefulCallbacks.DeepClone(),
        ["total_flos"] = Number("total_flos", state.TotalFlos),
        ["train_batch_size"] = state.TrainBatchSize,
        ["trial_name"] = null,
        ["trial_params"] = null,
    };

    /// <summary>Reads the file of a checkpoint, Attune's or transformers'.</summary>
    /// <exception cref="AttuneException">It is missing or damaged.</exception>
    internal static TrainerState Read(string folder)
    {
        var path = Path.Combine(folder, CheckpointFiles.TrainerState);
        try
        {
            return Read(PythonJson.ReadFile(path) as JsonObject ?? throw new FormatException("it holds no object."));
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new AttuneException($"{path} is damaged: {e.Message} Resume from another checkpoint.", e);
        }
    }

    private static TrainerState Read(JsonObject json)
    {
        var state = new TrainerState
        {
            BestGlobalStep = (long?)json["best_global_step"],
            BestMetric = (double?)json["best_metric"],
            BestModelCheckpoint = (string?)json["best_model_checkpoint"],
            Epoch = (double?)json["epoch"],
            GlobalStep = (long)Required(json, "global_step"),
            LoggingSteps = (long)(double)Required(json, "logging_steps"),
            EvalSteps = (long)(double)Required(json, "eval_steps"),
            SaveSteps = (long)(double)Required(json, "save_steps"),
            MaxSteps = (long)Required(json, "max_steps"),
            NumTrainEpochs = (long)Required(json, "num_train_epochs"),
            TotalFlos = (double)Required(json, "total_flos"),
            NumInputTokensSeen = (long?)(double?)json["num_input_tokens_seen"] ?? 0,
            TrainBatchSize = (int?)json["train_batch_size"],
            StatefulCallbacks = json["stateful_callbacks"]?.DeepClone().AsObject() ?? [],
        };
        foreach (var entry in Required(json, "log_history").AsArray())
            state.History.Add(Numbers(entry as JsonObject ?? throw new FormatException("log_history holds something other than objects.")));
        return state;
    }

    /// <summary>The numbers of an entry; callbacks of transformers may log other things besides.</summary>
    private static OrderedDictionary<string, double> Numbers(JsonObject entry)
    {
        var numbers = new OrderedDictionary<string, double>();
        foreach (var (key, value) in entry)
            if (value is JsonValue one && one.TryGetValue(out double number)) numbers[key] = number;
        return numbers;
    }

    private static JsonNode Required(JsonObject json, string name) => json[name] ?? throw new FormatException($"it has no {name}.");
}
