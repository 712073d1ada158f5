namespace Attune.Metrics;

/// <summary>What a row's label is; transformers calls it <c>problem_type</c>.</summary>
public enum TaskKind
{
    /// <summary>One class: <c>single_label_classification</c>.</summary>
    SingleLabel,
    /// <summary>Any number of classes: <c>multi_label_classification</c>.</summary>
    MultiLabel,
    /// <summary>Numbers: <c>regression</c>.</summary>
    Regression,
}
