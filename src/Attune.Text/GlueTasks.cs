namespace Attune;

/// <summary>A task of GLUE as Hugging Face's data set and transformers' run_glue.py have it.</summary>
/// <param name="Name">Its configuration of the data set, such as <c>sst2</c>.</param>
/// <param name="TextColumns">The columns of its texts there: one, or two for pairs.</param>
/// <param name="LabelNames">The names of its classes in the order of their numbers; empty for stsb, whose labels are numbers from 0 to 5.</param>
/// <param name="Metrics">What it is measured by.</param>
public sealed record GlueTask(string Name, IReadOnlyList<string> TextColumns, IReadOnlyList<string> LabelNames, IReadOnlyList<string> Metrics);

/// <summary>The tasks of GLUE. The labels of their test splits are not published: they are -1.</summary>
public static class GlueTasks
{
    private static readonly string[] Inference = ["entailment", "neutral", "contradiction"], TwoWay = ["entailment", "not_entailment"];
    private static readonly string[] Accuracy = ["accuracy"], AccuracyAndF1 = ["accuracy", "f1"];

    /// <summary>All of them. <c>mnli_matched</c> and <c>mnli_mismatched</c> are mnli's evaluation data by themselves, <c>ax</c> its diagnostic test.</summary>
    public static IReadOnlyList<GlueTask> All { get; } =
    [
        new("cola", ["sentence"], ["unacceptable", "acceptable"], ["matthews_correlation"]),
        new("sst2", ["sentence"], ["negative", "positive"], Accuracy),
        new("mrpc", ["sentence1", "sentence2"], ["not_equivalent", "equivalent"], AccuracyAndF1),
        new("qqp", ["question1", "question2"], ["not_duplicate", "duplicate"], AccuracyAndF1),
        new("stsb", ["sentence1", "sentence2"], [], ["pearson", "spearmanr"]),
        new("mnli", ["premise", "hypothesis"], Inference, Accuracy),
        new("mnli_matched", ["premise", "hypothesis"], Inference, Accuracy),
        new("mnli_mismatched", ["premise", "hypothesis"], Inference, Accuracy),
        new("ax", ["premise", "hypothesis"], Inference, Accuracy),
        new("qnli", ["question", "sentence"], TwoWay, Accuracy),
        new("rte", ["sentence1", "sentence2"], TwoWay, Accuracy),
        new("wnli", ["sentence1", "sentence2"], ["not_entailment", "entailment"], Accuracy),
    ];

    /// <summary>The task of a name; null where GLUE has none of it.</summary>
    /// <param name="name">For instance <c>sst2</c>; <c>SST-2</c> and <c>glue/sst2</c> are the same.</param>
    public static GlueTask? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var bare = Bare(name.StartsWith("glue/", StringComparison.OrdinalIgnoreCase) ? name["glue/".Length..] : name);
        return All.FirstOrDefault(task => Bare(task.Name) == bare);

        static string Bare(string text) =>
            text.ToLowerInvariant().Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
    }
}
