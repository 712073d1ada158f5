using Attune.Models;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Text;

namespace Attune.ML;

/// <summary>A step of an ML.NET pipeline that adds the answers of a trained classifier; <see cref="ClassifierCatalog"/> makes it.</summary>
/// <remarks>The model is trained already, so <see cref="Fit"/> only looks whether the columns are there. All its transformers share one classifier, which is closed with the last of them.</remarks>
public sealed class ClassifierEstimator : IEstimator<ClassifierTransformer>
{
    private readonly ClassifierSource _source;
    private readonly ClassifierColumns _columns;

    internal ClassifierEstimator(ClassifierSource source, ClassifierColumns columns) => (_source, _columns) = (source, columns);

    /// <summary>Gives a transformer, which the caller closes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The data has no such column, or one that holds no text.</exception>
    /// <exception cref="AttuneException">All former transformers are closed, and the model cannot be loaded again.</exception>
    public ClassifierTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _columns.In(input.Schema);
        return new ClassifierTransformer(_source, _columns);
    }

    /// <summary>The outline of the data with the columns that are added.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The data has no such column, or one that holds no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _columns.Require(inputSchema);
        // ML.NET lets nobody else make the outline of a column, so those of its own steps with the same outcome stand in; nothing is computed.
        var ml = new MLContext();
        var scores = ml.Transforms.Text.FeaturizeText(_columns.Score, new TextFeaturizingEstimator.Options { Norm = TextFeaturizingEstimator.NormFunction.None }, _columns.Text);
        return _source.ProblemType switch
        {
            ProblemType.SingleLabelClassification => Replaced(ml.Transforms.Conversion.MapValueToKey(_columns.PredictedLabel, _columns.Text), scores),
            ProblemType.MultiLabelClassification =>
                Replaced(scores, ml.Transforms.Conversion.ConvertType(_columns.PredictedLabel, _columns.Score, DataKind.Boolean)),
            _ => Replaced(ml.Transforms.Conversion.ConvertType(_columns.Score, _columns.Text, DataKind.Single)),
        };

        SchemaShape Replaced(params IEstimator<ITransformer>[] steps) => steps.Aggregate(inputSchema, (shape, step) => step.GetOutputSchema(shape));
    }
}
