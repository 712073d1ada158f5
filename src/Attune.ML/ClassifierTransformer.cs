using Attune.Inference;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Attune.ML;

/// <summary>Adds the answers of a classifier to the rows of data, in batches as they are read; nothing is computed for columns that nobody asks for.</summary>
public sealed class ClassifierTransformer : ITransformer, IDisposable
{
    private ClassifierSource? _source;

    internal ClassifierTransformer(ClassifierSource source, ClassifierColumns columns) => (_source, Classifier, Columns) = (source, source.Take(), columns);

    /// <summary>The classifier.</summary>
    public Classifier Classifier { get; }

    /// <summary>Always: the answer to a row depends on no other.</summary>
    public bool IsRowToRowMapper => true;

    internal ClassifierColumns Columns { get; }

    /// <summary>The columns of data that has gone through.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The data has no such column, or one that holds no text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Columns.In(inputSchema);
        return Columns.With(inputSchema, Classifier);
    }

    /// <summary>Data with the answers, which are computed when they are read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The data has no such column, or one that holds no text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ClassifiedView(input, this);
    }

    /// <summary>What computes row by row, for <c>PredictionEngine</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rows have no such column, or one that holds no text.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new ClassifierMapper(inputSchema, this);
    }

    /// <summary>Closes the classifier, where it was loaded for this transformer and no other one of the same estimator uses it.</summary>
    public void Dispose() => Interlocked.Exchange(ref _source, null)?.GiveBack();

    void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException(
        "ML.NET saves no transformers but its own: keep the model's folder, save the steps before and after it on their own, and put ApplyClassifier between them again.");

    /// <summary>Predicts rows of texts.</summary>
    internal IReadOnlyList<TextPrediction> Predict(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs) => Classifier.Predict(texts, pairs);
}
