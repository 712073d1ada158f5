namespace Attune.Cli;

/// <summary>Which texts to predict and how to write the answers.</summary>
public sealed record PredictArguments
{
    /// <summary>File of texts: CSV, TSV, JSON lines or Parquet.</summary>
    /// <value>Default: the texts given, else standard input, one text a line.</value>
    public string? File { get; init; }

    /// <summary>Columns of the texts in the file: one, or two for pairs; more are joined.</summary>
    /// <value>Default: found by their usual names.</value>
    public IReadOnlyList<string>? TextColumnNames { get; init; }

    /// <summary>Joins several text columns to one text by this.</summary>
    /// <value>Default: two columns are a pair, more are joined by a space.</value>
    public string? TextColumnDelimiter { get; init; }

    /// <summary>Each text given, or each line of standard input, is a pair of texts with a tab between them.</summary>
    /// <value>Default false.</value>
    public bool Pairs { get; init; }

    /// <summary>Form of the answers.</summary>
    /// <value>text (label, probability and text, tabs between them), json (one object), jsonl (an object a line) or csv. Default text.</value>
    public OutputFormat? OutputFormat { get; init; }

    /// <summary>File for the answers.</summary>
    /// <value>Default: standard output.</value>
    public string? OutputFile { get; init; }

    /// <summary>Probability from which on a label of several counts as predicted.</summary>
    /// <value>0 to 1, or auto for what was chosen in training. Default what the model's folder says (attune_prediction.json), else 0.5. For multi-label models.</value>
    public string? Threshold { get; init; }

    /// <summary>Texts computed at once.</summary>
    /// <value>At least 1. Default 32.</value>
    [Training.ArgumentAlias("per_device_eval_batch_size")]
    public int BatchSize { get; init; } = 32;

    /// <summary>Computes the products of the encoder's layers in bfloat16.</summary>
    /// <value>Default false. Needs a processor with AVX512_BF16 or AMX.</value>
    public bool Bf16 { get; init; }
}

/// <summary>How answers are written.</summary>
public enum OutputFormat
{
    /// <summary>For people and for cut: label, probability, text.</summary>
    Text,
    /// <summary>One object.</summary>
    Json,
    /// <summary>One object a line.</summary>
    Jsonl,
    /// <summary>Comma-separated, with a header.</summary>
    Csv,
}
