using System.Text.Json.Nodes;
using Attune.Models;
using static System.FormattableString;

namespace Attune.Training;

// An adapter of low rank in the place of the whole model, by the names of PEFT.
public sealed partial record TrainingArguments
{
    /// <summary>Trains an adapter of this rank on some linear layers, and the classifier, in place of the whole model (LoRA, as in PEFT).</summary>
    /// <value>At least 1. Default null: no adapter, or 8 where <see cref="Tune"/> is lora.</value>
    public int? LoraR { get; init; }

    /// <summary>What the adapter adds is multiplied by this divided by the rank.</summary>
    /// <value>Above 0. Default 8, PEFT's.</value>
    public double? LoraAlpha { get; init; }

    /// <summary>Dropout of what the adapter reads.</summary>
    /// <value>0 to below 1. Default 0.</value>
    public double? LoraDropout { get; init; }

    /// <summary>The linear layers that have an adapter, by their names or the ends of these, such as query, attention.output.dense or layer.11.output.dense.</summary>
    /// <value>all-linear for all but the classifier. Default the queries and values, by the names of the model's family: PEFT's, for BERT query and value.</value>
    public IReadOnlyList<string>? LoraTargetModules { get; init; }

    /// <summary>Other ranks for some layers, by the ends of their names, which are regular expressions: {"layer.11.attention.self.query": 16}.</summary>
    /// <value>A JSON object. Default none.</value>
    public JsonObject? LoraRankPattern { get; init; }

    /// <summary>Other values of <see cref="LoraAlpha"/> for some layers, in the same way.</summary>
    /// <value>A JSON object. Default none.</value>
    public JsonObject? LoraAlphaPattern { get; init; }

    /// <summary>Divides by the root of the rank in place of the rank, so that high ranks learn as fast as low ones.</summary>
    /// <value>Default false.</value>
    public bool UseRslora { get; init; }

    /// <summary>Biases that are trained besides.</summary>
    /// <value>none, lora_only (of the layers with an adapter) or all. Default none.</value>
    public LoraBias LoraBias { get; init; }

    /// <summary>Parts of the model that are trained whole and kept with the adapter, such as pooler. The classifier always is.</summary>
    /// <value>Names, or their ends. Default none.</value>
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    /// <summary>
    /// Writes the model with the adapter merged into its weights at the end, so that any program can load it; the adapter goes into the folder
    /// adapter in <see cref="OutputDir"/>.
    /// </summary>
    /// <value>Default false: the folder holds the adapter, and names the model that it belongs to.</value>
    public bool MergeAdapter { get; init; }

    /// <summary>The adapter that the arguments ask for; null for none.</summary>
    /// <param name="baseModel">The model that it belongs to: a folder or a name of the hub.</param>
    /// <param name="revision">Of a model of the hub.</param>
    /// <exception cref="AttuneException">A value is out of range.</exception>
    public LoraConfig? ToLoraConfig(string? baseModel = null, string? revision = null)
    {
        if (!HasAdapter) return null;
        var defaults = new LoraConfig();
        var patterns = new LoraConfigReader(
            new() { ["lora_rank_pattern"] = LoraRankPattern?.DeepClone(), ["lora_alpha_pattern"] = LoraAlphaPattern?.DeepClone() }, "The arguments");
        return new LoraConfig
        {
            R = LoraR ?? defaults.R,
            LoraAlpha = LoraAlpha ?? defaults.LoraAlpha,
            LoraDropout = LoraDropout ?? defaults.LoraDropout,
            TargetModules = LoraTargetModules ?? defaults.TargetModules,
            RankPattern = patterns.Map("lora_rank_pattern", patterns.Whole),
            AlphaPattern = patterns.Map("lora_alpha_pattern", patterns.Number),
            UseRslora = UseRslora,
            Bias = LoraBias,
            ModulesToSave = ModulesToSave ?? [],
            BaseModelNameOrPath = baseModel,
            Revision = revision,
        }.Checked();
    }

    /// <summary>Whether an adapter is asked for.</summary>
    internal bool HasAdapter => LoraR is not null || Tune == TunedPart.Lora;

    /// <summary>Refuses a model whose adapter is not what is asked for. One made by hand needs no argument here, and what is not given is the model's.</summary>
    /// <param name="made">The adapter that the model was made with; null for none.</param>
    /// <exception cref="AttuneException">The two do not fit together.</exception>
    internal void RequireAdapter(LoraConfig? made)
    {
        if (made is null)
        {
            if (HasAdapter)
                throw new AttuneException("an adapter is asked for (lora_r, or tune lora), but the model was made without an adapter; give FromPretrained or FromConfig the configuration that the arguments' ToLoraConfig makes.");
            if (MergeAdapter) throw new AttuneException("merge_adapter is given, but the model has no adapter; leave it out, or give tune lora too.");
            return;
        }
        RequireSame("lora_r", LoraR, made.R);
        RequireSame("lora_alpha", LoraAlpha, made.LoraAlpha);
        RequireSame("lora_dropout", LoraDropout, made.LoraDropout);
    }

    private static void RequireSame(string name, double? asked, double made)
    {
        if (asked is { } value && value != made)
            throw new AttuneException(Invariant($"{name} is {value}, but the model's adapter was made with {made}; make the model with the configuration that ToLoraConfig makes, or leave {name} out."));
    }

    private void CheckLora()
    {
        if (ToLoraConfig() is not null) return;
        (string Name, bool IsGiven)[] others =
        [
            ("lora_alpha", LoraAlpha is not null), ("lora_dropout", LoraDropout is not null), ("lora_target_modules", LoraTargetModules is not null),
            ("lora_rank_pattern", LoraRankPattern is not null), ("lora_alpha_pattern", LoraAlphaPattern is not null), ("use_rslora", UseRslora),
            ("lora_bias", LoraBias != LoraBias.None), ("modules_to_save", ModulesToSave is not null),
        ];
        if (Array.Find(others, other => other.IsGiven).Name is { } given)
            throw new AttuneException($"{given} is given, but no adapter is asked for; give tune lora or lora_r too, or leave it out.");
    }
}
