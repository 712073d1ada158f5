namespace Attune.Models;

/// <summary>What a classifier learns; decides the loss. The names are those of <c>problem_type</c> in config.json.</summary>
public enum ProblemType
{
    /// <summary><c>single_label_classification</c>: one class a row, cross-entropy.</summary>
    SingleLabelClassification,

    /// <summary><c>multi_label_classification</c>: any number of classes a row, binary cross-entropy.</summary>
    MultiLabelClassification,

    /// <summary><c>regression</c>: numbers, mean squared error.</summary>
    Regression,
}
