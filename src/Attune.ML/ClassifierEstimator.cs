using Attune.Models;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Text;

namespace Attune.ML;

/// <summary>A step of an ML.NET pipeline that adds the answers of a trained classifier; <see cref="ClassifierCatalog"/> makes it.</summary>
/// <remarks>The model is trained already, so <see cref="Fit"/> only looks whether the columns are there, and always gives the same transformer.</remarks>
public sealed class ClassifierEstimator : IEstimator<ClassifierTransformer>
{
    private readonly ClassifierTransformer _transformer;

    internal ClassifierEstimator(ClassifierTransformer transformer) => _transformer = transformer;

    /// <summary>Gives the transformer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The data has no such column, or one that holds no text.</exception>
    public ClassifierTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _transformer.Columns.In(input.Schema);
        return _transformer;
    }

    /// <summary>The outline of the data with the columns that are added.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The data has no such column, or one that holds no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var columns = _transformer.Columns;
        columns.Require(inputSchema);
        // ML.NET lets nobody else make the outline of a column, so those of its own steps with the same outcome stand in; nothing is computed.
        var ml = new MLContext();
        var scores = ml.Transforms.Text.FeaturizeText(columns.Score, new TextFeaturizingEstimator.Options { Norm = TextFeaturizingEstimator.NormFunction.None }, columns.Text);
        return _transformer.Classifier.ProblemType switch
        {
            ProblemType.SingleLabelClassification => Replaced(ml.Transforms.Conversion.MapValueToKey(columns.PredictedLabel, columns.Text), scores),
            ProblemType.MultiLabelClassification =>
                Replaced(scores, ml.Transforms.Conversion.ConvertType(columns.PredictedLabel, columns.Score, DataKind.Boolean)),
            _ => Replaced(ml.Transforms.Conversion.ConvertType(columns.Score, columns.Text, DataKind.Single)),
        };

        SchemaShape Replaced(params IEstimator<ITransformer>[] steps) => steps.Aggregate(inputSchema, (shape, step) => step.GetOutputSchema(shape));
    }
}
