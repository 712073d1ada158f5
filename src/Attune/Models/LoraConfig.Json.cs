using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Models;

// adapter_config.json, as PEFT 0.18.1 reads and writes it.
public sealed partial record LoraConfig
{
    private const string PeftVersion = "0.18.1";

    // Kinds of adapters, or of beginnings, that change what is computed and that Attune does not have.
    private static readonly string[] Unknown =
    [
        "use_dora", "use_qalora", "fan_in_fan_out", "lora_bias", "target_parameters", "trainable_token_indices", "layer_replication",
        "alora_invocation_tokens", "arrow_config",
    ];

    private static readonly Dictionary<string, LoraBias> Biases = new() { ["none"] = LoraBias.None, ["lora_only"] = LoraBias.LoraOnly, ["all"] = LoraBias.All };

    /// <summary>Reads an <c>adapter_config.json</c>.</summary>
    /// <param name="file">The file, for messages too.</param>
    /// <exception cref="AttuneException">It is missing or no such file, of another kind of adapter, or a value makes no sense.</exception>
    public static LoraConfig Load(string file) => PythonJson.ReadFile(file) is JsonObject json
        ? Read(json, file)
        : throw new AttuneException($"{file} is not a JSON object; take the file that PEFT wrote beside the adapter's weights.");

    /// <summary>The fields of the file it was read from, or PEFT's defaults, with the present values.</summary>
    /// <param name="architecture">Of the model that it belongs to.</param>
    /// <param name="modelType">Of its family.</param>
    internal JsonObject ToJson(string architecture, string modelType)
    {
        var json = Source.Count > 0 ? (JsonObject)Source.DeepClone() : Defaults(architecture, modelType.Replace('-', '_'));
        json["peft_type"] = "LORA";
        json["r"] = R;
        json["lora_alpha"] = Number(LoraAlpha);
        json["lora_dropout"] = LoraDropout;
        json["target_modules"] = TargetPattern is { } pattern ? pattern : IsAllLinear ? AllLinear : TargetModules is { } modules ? List(modules) : null;
        json["exclude_modules"] = ExcludeModules.Count == 0 ? null : List(ExcludeModules);
        json["layers_to_transform"] = LayersToTransform is null ? null : new JsonArray([.. LayersToTransform.Select(layer => (JsonNode)layer)]);
        json["rank_pattern"] = new JsonObject(RankPattern.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));
        json["alpha_pattern"] = new JsonObject(AlphaPattern.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, Number(pair.Value))));
        json["use_rslora"] = UseRslora;
        json["bias"] = Biases.First(pair => pair.Value == Bias).Key;
        json["modules_to_save"] = AllModulesToSave.Count == 0 ? null : List(AllModulesToSave);
        json["task_type"] = TaskType;
        json["base_model_name_or_path"] = BaseModelNameOrPath;
        json["revision"] = Revision;
        json["inference_mode"] = true;
        return json;
    }

    private static LoraConfig Read(JsonObject json, string file)
    {
        if (json["peft_type"]?.ToString() is var kind && kind != "LORA")
            throw new AttuneException($"{file} describes an adapter of type {PythonJson.Write(json["peft_type"])}; Attune has LORA.");
        foreach (var key in Unknown)
            if (!IsOff(json[key])) throw new AttuneException($"{file}: {key} is {PythonJson.Write(json[key])}, and Attune does not have it; take an adapter without it, or merge it by PEFT.");
        // Only what begins by changing the weights of the model matters to who reads the result.
        if (json["init_lora_weights"] is JsonValue start && start.TryGetValue<string>(out var way) && !(way is "gaussian" or "eva" or "orthogonal"))
            throw new AttuneException(
                $"{file}: init_lora_weights is \"{way}\", which changes the model's own weights too; convert the adapter by PEFT to a plain one first.");
        var defaults = new LoraConfig();
        var reader = new LoraConfigReader(json, file);
        var target = json["target_modules"] is JsonValue text && text.TryGetValue<string>(out var word) ? word : null;
        try
        {
            return new LoraConfig
            {
                Source = json,
                R = reader.Whole("r") ?? defaults.R,
                LoraAlpha = reader.Number("lora_alpha") ?? defaults.LoraAlpha,
                LoraDropout = reader.Number("lora_dropout") ?? 0,
                TargetModules = target is null ? reader.Names("target_modules") ?? defaults.TargetModules : target == AllLinear ? [AllLinear] : [],
                TargetPattern = target is null or AllLinear ? null : target,
                ExcludeModules = reader.Names("exclude_modules") ?? [],
                LayersToTransform = reader.Wholes("layers_to_transform"),
                RankPattern = reader.Map("rank_pattern", reader.Whole),
                AlphaPattern = reader.Map("alpha_pattern", reader.Number),
                UseRslora = reader.Truth("use_rslora"),
                Bias = Biases.TryGetValue(reader.Text("bias") ?? "none", out var bias) ? bias : throw reader.Wrong("bias", string.Join(", ", Biases.Keys)),
                ModulesToSave = reader.Names("modules_to_save") ?? [],
                TaskType = reader.Text("task_type"),
                BaseModelNameOrPath = reader.Text("base_model_name_or_path"),
                Revision = reader.Text("revision"),
            }.Checked();
        }
        catch (AttuneException e) when (!e.Message.StartsWith(file, StringComparison.Ordinal))
        {
            throw new AttuneException($"{file}: {e.Message}", e);
        }
    }

    private static bool IsOff(JsonNode? value) => value switch
    {
        null => true,
        JsonArray list => list.Count == 0,
        JsonObject map => map.Count == 0,
        _ => value.AsValue().TryGetValue<bool>(out var truth) && !truth,
    };

    private static JsonArray List(IEnumerable<string> names) => new([.. names.Select(name => (JsonNode)name)]);

    /// <summary>A whole number as Python's int, any other as its float.</summary>
    private static JsonValue Number(double value) => double.IsInteger(value) && Math.Abs(value) < 1L << 53 ? JsonValue.Create((long)value) : JsonValue.Create(value);

    /// <summary>The fields that PEFT writes and Attune has no use for.</summary>
    private JsonObject Defaults(string architecture, string family) => new()
    {
        ["alora_invocation_tokens"] = null,
        ["arrow_config"] = null,
        ["auto_mapping"] = TaskType is not null ? null : new JsonObject
        {
            ["base_model_class"] = architecture,
            ["parent_library"] = $"transformers.models.{family}.modeling_{family}",
        },
        ["corda_config"] = null,
        ["ensure_weight_tying"] = false,
        ["eva_config"] = null,
        ["fan_in_fan_out"] = false,
        ["init_lora_weights"] = true,
        ["layer_replication"] = null,
        ["layers_pattern"] = null,
        ["loftq_config"] = new JsonObject(),
        ["lora_bias"] = false,
        ["megatron_config"] = null,
        ["megatron_core"] = "megatron.core",
        ["peft_version"] = PeftVersion,
        ["qalora_group_size"] = 16,
        ["target_parameters"] = null,
        ["trainable_token_indices"] = null,
        ["use_dora"] = false,
        ["use_qalora"] = false,
    };
}
