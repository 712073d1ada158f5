using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>Which biases of the model are trained beside its adapter.</summary>
public enum LoraBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>Those of the layers that have an adapter.</summary>
    LoraOnly,

    /// <summary>All.</summary>
    All,
}

/// <summary>
/// An adapter of low rank (Hu and others, "LoRA: Low-Rank Adaptation of Large Language Models", 2021): W + scaling B A in the place of the weights W of
/// some linear layers, of which only A and B are trained. The names are those of PEFT, whose <c>adapter_config.json</c> it is.
/// </summary>
public sealed partial record LoraConfig
{
    /// <summary>The one word of <see cref="TargetModules"/> that means every linear layer but the classifier.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>The task of a classifier, in PEFT's words.</summary>
    public const string SequenceClassification = "SEQ_CLS";

    /// <summary>Rank: lines of A, columns of B.</summary>
    /// <value>At least 1. Default 8.</value>
    public int R { get; init; } = 8;

    /// <summary>The factor of B A is this divided by <see cref="R"/>, or by its root with <see cref="UseRslora"/>.</summary>
    /// <value>Above 0. Default 8.</value>
    public double LoraAlpha { get; init; } = 8;

    /// <summary>Dropout of what A reads.</summary>
    /// <value>0 to below 1. Default 0.</value>
    public double LoraDropout { get; init; }

    /// <summary>The linear layers that have an adapter, by their names in the model or by the end of these after a dot; or <see cref="AllLinear"/>.</summary>
    /// <value>Default null: those of queries and values, which are PEFT's for the family; for BERT <c>query</c> and <c>value</c>.</value>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>A regular expression that the whole name must fit, in place of <see cref="TargetModules"/>.</summary>
    /// <value>Default null.</value>
    public string? TargetPattern { get; init; }

    /// <summary>Layers that have none although <see cref="TargetModules"/> names them.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<string> ExcludeModules { get; init; } = [];

    /// <summary>The encoder's layers that have adapters, counted from 0.</summary>
    /// <value>Default null: all.</value>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    /// <summary>Other ranks than <see cref="R"/>: by the end of a layer's name, a regular expression.</summary>
    /// <value>At least 1 each. Default none; the first that fits counts.</value>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>Other values than <see cref="LoraAlpha"/>, in the same way.</summary>
    /// <value>Above 0 each. Default none.</value>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>Divides by the root of the rank (Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023).</summary>
    /// <value>Default false.</value>
    public bool UseRslora { get; init; }

    /// <summary>Biases that are trained and kept too.</summary>
    /// <value>Default none.</value>
    public LoraBias Bias { get; init; }

    /// <summary>Parts of the model that are trained whole and kept with the adapter, by the end of their names.</summary>
    /// <value>Default none beside the classifier, which belongs to it where <see cref="TaskType"/> says that the task is to classify.</value>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>The task in PEFT's words; null where none is named, and then the classifier stays as it is.</summary>
    /// <value>Default <see cref="SequenceClassification"/>.</value>
    public string? TaskType { get; init; } = SequenceClassification;

    /// <summary>The model that the adapter belongs to: a folder, or a name of the hub.</summary>
    /// <value>Default null: not named.</value>
    public string? BaseModelNameOrPath { get; init; }

    /// <summary>Branch, tag or commit of a model of the hub.</summary>
    /// <value>Default null: the main branch.</value>
    public string? Revision { get; init; }

    /// <summary>The object that it was read from; never changed. Empty where it was not read.</summary>
    internal JsonObject Source { get; init; } = [];

    /// <summary>Itself, with the layers of a family where it names none.</summary>
    internal LoraConfig For(PreTrainedConfig config) => TargetPattern is null && TargetModules is null ? this with { TargetModules = config.AdapterTargets } : this;

    /// <summary>Itself, where every value makes sense.</summary>
    /// <exception cref="AttuneException">One does not.</exception>
    internal LoraConfig Checked()
    {
        if (R < 1) throw new AttuneException($"lora_r is {R}; it must be at least 1.");
        RequirePositive("lora_alpha", LoraAlpha);
        if (LoraDropout is not (>= 0 and < 1)) throw new AttuneException(FormattableString.Invariant($"lora_dropout is {LoraDropout}; it must be at least 0 and below 1."));
        foreach (var (name, rank) in RankPattern)
            if (rank < 1) throw new AttuneException($"rank_pattern gives \"{name}\" the rank {rank}; it must be at least 1.");
        foreach (var (name, alpha) in AlphaPattern) RequirePositive($"alpha_pattern of \"{name}\"", alpha);
        if (TargetPattern is null && TargetModules is { Count: 0 })
            throw new AttuneException("target_modules names no layer; name some, such as query and value, or give all-linear.");
        CheckPatterns();
        return this;
    }

    private static void RequirePositive(string name, double value)
    {
        if (!(value > 0 && double.IsFinite(value))) throw new AttuneException(FormattableString.Invariant($"{name} is {value}; it must be above 0."));
    }
}
