using Attune.Training;

namespace Attune.Cli.Distillation;

/// <summary>By whom a student is taught, and how.</summary>
public sealed record DistillArguments
{
    /// <summary>The teacher: the folder of a trained classifier, or a name of the hub. The student begins with some of its layers, its tokenizer and its head.</summary>
    [ArgumentAlias("teacher_name_or_path")]
    public string? Teacher { get; init; }

    /// <summary>Layers of the student.</summary>
    /// <value>At least 1, fewer than the teacher's. Default: half of the teacher's, every second one.</value>
    public int? StudentLayers { get; init; }

    /// <summary>By which the logits of both are divided before they are compared: above 1, what the teacher thinks of the other classes counts more.</summary>
    /// <value>Above 0. Default 2.</value>
    public double Temperature { get; init; } = 2;

    /// <summary>Share of the teacher in the loss; the rest is the labels'.</summary>
    /// <value>0 to 1; 1 looks at no label. Default 0.5.</value>
    public double Alpha { get; init; } = 0.5;

    /// <summary>Texts without labels, of which only the teacher's answers are learned: CSV, TSV, JSON lines or Parquet, or text files with a text a line.</summary>
    /// <value>Files, several separated by commas; .txt and .txt.gz are read by lines. Default none.</value>
    public IReadOnlyList<string> UnlabelledFile { get; init; } = [];

    /// <summary>Refuses what could only fail later.</summary>
    /// <exception cref="UsageException">No teacher is named.</exception>
    internal DistillArguments Checked() => Teacher is not null ? this
        : throw new UsageException("there is no teacher; name the folder of a trained classifier by --teacher.");
}
