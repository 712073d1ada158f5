using Attune.Datasets;
using Attune.Inference;

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
    /// <value>
    /// text (label, probability and text, tabs between them), json (one object), jsonl (an object a line), csv or parquet (into a file). Default: what
    /// output_file ends in, else text.
    /// </value>
    public OutputFormat? OutputFormat { get; init; }

    /// <summary>File for the answers. It appears when it is whole; until then they are in a partial file beside it.</summary>
    /// <value>Default: standard output.</value>
    public string? OutputFile { get; init; }

    /// <summary>Goes on with answers that an earlier run of the same command has left unfinished.</summary>
    /// <value>Default true. The texts of a file, or the same standard input; what comes out is what one run would have given.</value>
    public bool Resume { get; init; } = true;

    /// <summary>Columns of the file that the answers carry in the place of the texts.</summary>
    /// <value>Names, or all. Default: the texts. Where a column has the name of one of the answers, that one gets predicted_ in front.</value>
    public IReadOnlyList<string>? KeepColumns { get; init; }

    /// <summary>Writes the so many most probable classes, the most probable first.</summary>
    /// <value>At least 1. Default: the probabilities of all classes in their order, and of text the best one.</value>
    public int? TopK { get; init; }

    /// <summary>Gives no label to a text of which the model is less sure; its probabilities are written as ever.</summary>
    /// <value>
    /// A probability from 0 to 1, of the best class (of several labels that of the least sure one). Default what the model's folder says
    /// (attune_prediction.json), else 0, for never.
    /// </value>
    public double? AbstainBelow { get; init; }

    /// <summary>Probability from which on a label of several counts as predicted.</summary>
    /// <value>0 to 1, or auto for what was chosen in training. Default what the model's folder says (attune_prediction.json), else 0.5. For multi-label models.</value>
    public string? Threshold { get; init; }

    /// <summary>What to do with a row of the file that cannot be read or has no text.</summary>
    /// <value>fail, skip or quarantine (skip, and write it to a file beside the answers). Default fail. Rows left out have no answer.</value>
    public BadRowPolicy OnBadRow { get; init; } = BadRowPolicy.Fail;

    /// <summary>The most rows of the file that may be left out by on_bad_row; more end the command.</summary>
    /// <value>Below 1 a share of the file's rows, which is known at its end, from 1 on their number. Default 0.01, a row of a hundred.</value>
    public double MaxBadRows { get; init; } = 0.01;

    /// <summary>What computes.</summary>
    /// <value>
    /// torch (the weights, so that answers are those that evaluate measures), onnx (model.onnx as attune export writes it) or auto (torch where the folder
    /// has weights, else onnx: an export may be older than weights beside it, or less exact). Default auto.
    /// </value>
    public EngineChoice Engine { get; init; }

    /// <summary>Texts computed at once.</summary>
    /// <value>At least 1. Default 32.</value>
    [Training.ArgumentAlias("per_device_eval_batch_size")]
    public int BatchSize { get; init; } = 32;

    /// <summary>Computes the products of the encoder's layers in bfloat16.</summary>
    /// <value>Default false. Needs a processor with AVX512_BF16 or AMX, or a graphics card.</value>
    public bool Bf16 { get; init; }

    /// <summary>Computes the products of the encoder's layers in float16, which a processor imitates and is slower with.</summary>
    /// <value>Default false. Not together with <see cref="Bf16"/>.</value>
    public bool Fp16 { get; init; }

    /// <summary>The option that says how products are computed; null where none does.</summary>
    internal string? PrecisionOption => Bf16 ? "--bf16" : Fp16 ? "--fp16" : null;

    /// <summary>How answers are made.</summary>
    internal AnswerSettings Settings => new(Threshold, AbstainBelow);

    /// <summary>The form that is asked for, or that the file's name says.</summary>
    internal OutputFormat Form => OutputFormat ?? Path.GetExtension(OutputFile)?.ToLowerInvariant() switch
    {
        ".csv" => Cli.OutputFormat.Csv,
        ".json" => Cli.OutputFormat.Json,
        ".jsonl" or ".ndjson" => Cli.OutputFormat.Jsonl,
        ".parquet" => Cli.OutputFormat.Parquet,
        _ => Cli.OutputFormat.Text,
    };

    /// <summary>How the file is read by these arguments.</summary>
    /// <param name="warn">Takes what reading tells.</param>
    internal DatasetReadOptions Reading(Action<string> warn) =>
        new DataArguments { OnBadRow = OnBadRow, MaxBadRows = MaxBadRows }.Reading(OutputFile is null ? null : Path.GetDirectoryName(Path.GetFullPath(OutputFile)), warn);
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
    /// <summary>A Parquet file.</summary>
    Parquet,
}
