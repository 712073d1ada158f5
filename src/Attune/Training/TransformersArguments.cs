using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Training;

/// <summary>Arguments from JSON, and what becomes of transformers' other arguments: without effect here, or refused with the reason.</summary>
public static class TransformersArguments
{
    private const string OneExchange = "several processes exchange gradients in one way";
    private const string WholeModel = "it spreads a model over several cards, and every process of Attune has all of it";
    private const string FirstSpeaks = "of several processes the first speaks and writes";
    private const string OwnLoader = "Attune packs the batches itself";
    private const string NoPython = "there is no Python to compile";
    private const string ForServices = "only some services need it";
    private const string ForPushing = "a program pushes by itself; the command has --push-to-hub";
    private const string ForSharding = "it belongs to fsdp, which Attune does not have";
    private const string OfFp16 = "there is one way of fp16";

    /// <summary>Names that change nothing in the result, and why.</summary>
    private static readonly Dictionary<string, string> WithoutEffect = new()
    {
        ["_n_gpu"] = "a process computes on one card, and device says on which",
        ["average_tokens_across_devices"] = "the loss is the mean over the rows of all processes",
        ["batch_eval_metrics"] = "metrics are computed over all rows",
        ["dataloader_num_workers"] = OwnLoader,
        ["dataloader_persistent_workers"] = OwnLoader,
        ["dataloader_pin_memory"] = OwnLoader,
        ["dataloader_prefetch_factor"] = OwnLoader,
        ["ddp_backend"] = OneExchange,
        ["ddp_broadcast_buffers"] = OneExchange,
        ["ddp_bucket_cap_mb"] = OneExchange,
        ["ddp_find_unused_parameters"] = OneExchange,
        ["eval_accumulation_steps"] = "logits are kept in main memory",
        ["eval_do_concat_batches"] = "batches are always joined",
        ["eval_use_gather_object"] = "what several processes predict is always gathered",
        ["fp16_backend"] = OfFp16,
        ["fp16_opt_level"] = OfFp16,
        ["fsdp_min_num_params"] = ForSharding,
        ["fsdp_transformer_layer_cls_to_wrap"] = ForSharding,
        ["full_determinism"] = "runs always repeat to the bit",
        ["gradient_checkpointing_kwargs"] = "there is one way of checkpointing",
        ["half_precision_backend"] = OfFp16,
        ["hub_always_push"] = ForPushing,
        ["hub_model_id"] = ForPushing,
        ["hub_private_repo"] = ForPushing,
        ["hub_revision"] = ForPushing,
        ["hub_strategy"] = ForPushing,
        ["hub_token"] = ForPushing,
        ["jit_mode_eval"] = NoPython,
        ["length_column_name"] = "lengths are counted",
        ["liger_kernel_config"] = "the kernels are Attune's own",
        ["local_rank"] = "the launcher says it",
        ["log_level_replica"] = FirstSpeaks,
        ["log_on_each_node"] = FirstSpeaks,
        ["mp_parameters"] = "it is for SageMaker",
        ["project"] = ForServices,
        ["push_to_hub_model_id"] = ForPushing,
        ["push_to_hub_token"] = ForPushing,
        ["ray_scope"] = "Ray is for searches in Python",
        ["remove_unused_columns"] = "Attune reads the columns it needs",
        ["save_on_each_node"] = FirstSpeaks,
        ["skip_memory_metrics"] = "the most memory that training took is always given",
        ["torch_compile"] = NoPython,
        ["torch_compile_backend"] = NoPython,
        ["torch_compile_mode"] = NoPython,
        ["torch_empty_cache_steps"] = "there is no cache on the CPU",
        ["torchdynamo"] = NoPython,
        ["tpu_metrics_debug"] = "there is no TPU",
        ["tpu_num_cores"] = "there is no TPU",
        ["trackio_space_id"] = ForServices,
        ["use_legacy_prediction_loop"] = "there is one loop",
        ["use_liger_kernel"] = "the kernels are Attune's own",
        ["use_mps_device"] = "the processor computes on such a machine",
        ["pad_to_max_length"] = "no padding is computed, and the results are the same",
        ["preprocessing_num_workers"] = "all cores tokenize",
        ["use_fast_tokenizer"] = "there is one tokenizer, with the results of the fast one",
        ["ignore_mismatched_sizes"] = "a classifier of another number of classes always starts anew, and that is said",
    };

    /// <summary>Names that would change the result or lose something, and why they cannot be had; each ends with what to do.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["adafactor"] = "it is an old name; give optim adafactor",
        ["deepspeed"] = $"{WholeModel}; leave it out, and for its first stage give zero_stage 1",
        ["fsdp"] = $"{WholeModel}; leave it out",
        ["fsdp_config"] = $"{WholeModel}; leave it out",
        ["include_inputs_for_metrics"] = "it is an old name; give include_for_metrics inputs",
        ["optim_target_modules"] = "it is for GaLore and APOLLO, which are not available; leave it out",
        ["parallelism_config"] = $"{WholeModel}; leave it out",
        ["past_index"] = "it is for models that remember earlier texts, and no encoder here does; leave it out",
        ["push_to_hub"] = "pushing is the command's; call attune push, or leave it out",
        ["push_to_hub_organization"] = "it is an old name; give hub_model_id as org/name",
        ["trust_remote_code"] = "Attune runs no code of a repository; leave it out",
    };

    /// <summary>Names of which some values are refused and the others change nothing.</summary>
    private static readonly Dictionary<string, Func<JsonNode?, string>> ByValue = new()
    {
        ["accelerator_config"] = OfAccelerator,
        ["label_names"] = OfLabelNames,
        ["save_safetensors"] = OfSafeTensors,
    };

    /// <summary>Names whose default is true in transformers, so that there is a --no-NAME too.</summary>
    private static readonly HashSet<string> OnByDefault =
    [
        "average_tokens_across_devices", "dataloader_pin_memory", "eval_do_concat_batches", "log_on_each_node", "remove_unused_columns", "save_safetensors",
        "skip_memory_metrics",
    ];

    /// <summary>Whether a name is on in transformers where it is not given.</summary>
    internal static bool IsOnByDefault(string name) => OnByDefault.Contains(name);

    /// <summary>The names of transformers' arguments that have no effect here or are refused.</summary>
    internal static IEnumerable<string> OtherNames => WithoutEffect.Keys.Concat(Refused.Keys).Concat(ByValue.Keys);

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
        if (ByValue.TryGetValue(name, out var judge)) return judge(value);
        if (!Refused.TryGetValue(name, out var why)) return null;
        return IsOff(value) ? $"{name} has no effect: it is off." : throw new AttuneException($"{name} is not available: {why}.");
    }

    /// <summary>What becomes of a name, for the docs; null where it is none of these.</summary>
    internal static string? Describe(string name) =>
        WithoutEffect.TryGetValue(name, out var reason) ? $"no effect: {reason}"
        : Refused.TryGetValue(name, out var why) ? $"refused: {why}"
        : ByValue.ContainsKey(name) ? "no effect where it changes nothing, else refused" : null;

    private static string OfSafeTensors(JsonNode? value) => IsOff(value)
        ? throw new AttuneException("save_safetensors is false, but Attune writes weights as safetensors only; leave it out.")
        : "save_safetensors has no effect: weights are always written as safetensors.";

    private static string OfLabelNames(JsonNode? value)
    {
        var names = value is JsonArray list ? [.. list.Select(item => item?.ToString() ?? "")] : IsOff(value) ? [] : value!.ToString().Split(',', StringSplitOptions.TrimEntries);
        return names.All(name => name is "labels" or "label" or "label_ids") ? "label_names has no effect: the labels are those of the data set."
            : throw new AttuneException($"label_names is {string.Join(", ", names)}, but rows have one column of labels here; name it by label_column_name.");
    }

    /// <summary>Of accelerate's settings only those matter that change which rows come when.</summary>
    private static string OfAccelerator(JsonNode? value)
    {
        if (value is JsonArray { Count: > 0 } several) return OfAccelerator(several[^1]);
        var settings = value as JsonObject ?? (IsOff(value) ? [] : Parsed(value!.ToString()));
        if (settings["use_seedable_sampler"] is { } seedable && IsOff(seedable))
            throw new AttuneException("accelerator_config sets use_seedable_sampler to false, but the order of the rows comes from the seed alone here; leave it out.");
        return $"accelerator_config has no effect: the rows of a batch are shared out in the order of the seed, and none is repeated.";
    }

    private static JsonObject Parsed(string text)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonObject settings) return settings;
        }
        catch (JsonException)
        {
            // Said below.
        }
        throw new AttuneException($"accelerator_config is {text}; it must be a JSON object.");
    }

    /// <summary>Of several values, given by options, the last counts.</summary>
    private static bool IsOff(JsonNode? value) => value is JsonArray { Count: > 0 } several
        ? IsOff(several[^1])
        : value?.ToString().ToLowerInvariant() is null or "" or "false" or "none" or "null" or "no" or "0" or "-1" or "[]" or "{}";
}
