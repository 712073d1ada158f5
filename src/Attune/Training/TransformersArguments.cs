using System.Text.Json.Nodes;

namespace Attune.Training;

/// <summary>Arguments from JSON, and what becomes of transformers' other arguments: without effect here, or refused with the reason.</summary>
public static class TransformersArguments
{
    private const string OnOneMachine = "Attune trains in one process";
    private const string OwnLoader = "Attune packs the batches itself";

    private static readonly Dictionary<string, string> WithoutEffect = new()
    {
        ["use_cpu"] = "there is no other device yet",
        ["no_cuda"] = "there is no other device yet",
        ["full_determinism"] = "runs always repeat to the bit",
        ["length_column_name"] = "lengths are counted",
        ["log_level"] = "the command has --quiet and --verbose",
        ["log_level_replica"] = OnOneMachine,
        ["log_on_each_node"] = OnOneMachine,
        ["save_on_each_node"] = OnOneMachine,
        ["dataloader_num_workers"] = OwnLoader,
        ["dataloader_prefetch_factor"] = OwnLoader,
        ["dataloader_pin_memory"] = OwnLoader,
        ["dataloader_persistent_workers"] = OwnLoader,
        ["remove_unused_columns"] = "Attune reads the columns it needs",
        ["eval_accumulation_steps"] = "logits are kept in main memory",
        ["torch_empty_cache_steps"] = "there is no cache on the CPU",
        ["skip_memory_metrics"] = "the peak memory is always given",
        ["local_rank"] = OnOneMachine,
        ["ddp_backend"] = OnOneMachine,
        ["ddp_find_unused_parameters"] = OnOneMachine,
        ["ddp_bucket_cap_mb"] = OnOneMachine,
        ["ddp_broadcast_buffers"] = OnOneMachine,
        ["ddp_timeout"] = OnOneMachine,
        ["average_tokens_across_devices"] = OnOneMachine,
        ["gradient_checkpointing_kwargs"] = "there is one way of checkpointing",
        ["torch_compile"] = "there is no Python to compile",
        ["torch_compile_backend"] = "there is no Python to compile",
        ["torch_compile_mode"] = "there is no Python to compile",
        ["use_legacy_prediction_loop"] = "there is one loop",
        ["eval_do_concat_batches"] = "batches are always joined",
        ["batch_eval_metrics"] = "metrics are computed over all rows",
        ["include_tokens_per_second"] = "tokens are always counted",
        ["project"] = "only some services need it",
        ["trackio_space_id"] = "only some services need it",
        ["pad_to_max_length"] = "no padding is computed, and the results are the same",
        ["preprocessing_num_workers"] = "all cores tokenize",
        ["use_fast_tokenizer"] = "there is one tokenizer, with the results of the fast one",
        ["ignore_mismatched_sizes"] = "a classifier of another number of classes always starts anew, and that is said",
    };

    private static readonly HashSet<string> Refused =
    [
        "fp16", "fp16_full_eval", "tf32", "deepspeed", "fsdp", "fsdp_config",
        "accelerator_config", "parallelism_config", "push_to_hub", "optim_target_modules", "label_names",
        "jit_mode_eval", "trust_remote_code", "use_liger_kernel", "liger_kernel_config", "include_for_metrics", "debug",
    ];

    /// <summary>The names of transformers' arguments that have no effect here or are refused.</summary>
    internal static IEnumerable<string> OtherNames => WithoutEffect.Keys.Append("save_safetensors").Concat(Refused);

    /// <summary>Reads training arguments by their names in transformers.</summary>
    /// <param name="json">Names in snake case and values.</param>
    /// <param name="notice">Is told of arguments that have no effect in Attune.</param>
    /// <exception cref="AttuneException">A name is unknown, a value unfit, or an argument would change the result and is not available.</exception>
    public static TrainingArguments FromJson(JsonObject json, Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        var table = ArgumentTable.Of<TrainingArguments>();
        var values = new List<KeyValuePair<Argument, object?>>();
        foreach (var (name, value) in json)
            if (table.Find(name) is { } argument) values.Add(new(argument, argument.Parse(value)));
            else if (Notice(name, value) is { } line) notice?.Invoke(line);
            else throw new AttuneException($"{name} is no training argument.{Spelling.DidYouMean(name, table.All.Select(argument => argument.Name))}");
        return table.Create<TrainingArguments>(values);
    }

    /// <summary>What to say of an argument of transformers that has no effect here; null where there is no such argument.</summary>
    /// <exception cref="AttuneException">The argument would change the result and is not available.</exception>
    public static string? Notice(string name, JsonNode? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (WithoutEffect.TryGetValue(name, out var reason)) return $"{name} has no effect: {reason}.";
        if (name == "save_safetensors")
            return IsOff(value)
                ? throw new AttuneException("save_safetensors is false, but Attune writes weights as safetensors only; leave it out.")
                : "save_safetensors has no effect: weights are always written as safetensors.";
        if (!Refused.Contains(name)) return null;
        return IsOff(value) ? $"{name} has no effect: it is off." : throw new AttuneException($"{name} is not available; leave it out.");
    }

    private static bool IsOff(JsonNode? value) => value?.ToString().ToLowerInvariant() is null or "" or "false" or "none" or "no" or "0" or "[]" or "{}";
}
