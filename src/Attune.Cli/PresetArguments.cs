namespace Attune.Cli;

/// <summary>Which set of defaults a run starts from.</summary>
public sealed record PresetArguments
{
    /// <summary>Other defaults for the training arguments; every option that is given wins over them.</summary>
    /// <value>
    /// hf (exactly those of transformers' Trainer, also for the embedded encoder) or best (a recipe that is strong without tuning; it trains
    /// long, evaluates twice an epoch and stops early). Default: none. docs/optimizers.md lists them.
    /// </value>
    public Preset? Preset { get; init; }
}

/// <summary>A set of defaults.</summary>
public enum Preset
{
    /// <summary>Those of transformers' Trainer.</summary>
    Hf,
    /// <summary>A strong recipe.</summary>
    Best,
}
