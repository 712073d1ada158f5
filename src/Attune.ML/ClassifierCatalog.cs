using Attune.Inference;
using Attune.ML;

// The namespace of all such methods: a program that has an MLContext has it at hand.
namespace Microsoft.ML;

/// <summary>Adds Attune's classifiers to the transforms of ML.NET.</summary>
/// <example><code>
/// var pipeline = mlContext.Transforms.Text.ApplyClassifier("trainer_output", inputColumnName: "Text")
///     .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
/// </code></example>
public static class ClassifierCatalog
{
    /// <summary>Adds the answers of a trained model to each row: what it predicts, and its scores.</summary>
    /// <param name="catalog">ML.NET's transforms of text.</param>
    /// <param name="modelFolder">As <see cref="Classifier.Load"/> takes it. The model is loaded at once, and closed with the last transformer that <c>Fit</c> has given.</param>
    /// <param name="inputColumnName">The column with the texts.</param>
    /// <param name="pairColumnName">That with the second text of each pair, for models of pairs.</param>
    /// <param name="predictedLabelColumnName">Gets the label: a key whose values are the labels' names; of a model with several labels per text a Boolean for each. A regression has none.</param>
    /// <param name="scoreColumnName">Gets the probability of each label, with the labels' names as slot names; of a regression the number.</param>
    /// <param name="options">How the model is loaded. Default: as usual.</param>
    /// <exception cref="Attune.AttuneException">The model cannot be loaded.</exception>
    public static ClassifierEstimator ApplyClassifier(this TransformsCatalog.TextTransforms catalog, string modelFolder, string inputColumnName = "Text",
        string? pairColumnName = null, string predictedLabelColumnName = "PredictedLabel", string scoreColumnName = "Score", ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var columns = new ClassifierColumns(inputColumnName, pairColumnName, predictedLabelColumnName, scoreColumnName);
        return new ClassifierEstimator(new ClassifierSource(() => Classifier.Load(modelFolder, options)), columns);
    }

    /// <summary>Adds the answers of a classifier that is loaded already, and stays the caller's.</summary>
    /// <param name="catalog">ML.NET's transforms of text.</param>
    /// <param name="classifier">The classifier; the transformer does not close it.</param>
    /// <param name="inputColumnName">The column with the texts.</param>
    /// <param name="pairColumnName">That with the second text of each pair, for models of pairs.</param>
    /// <param name="predictedLabelColumnName">Gets the label, as above.</param>
    /// <param name="scoreColumnName">Gets the scores, as above.</param>
    public static ClassifierEstimator ApplyClassifier(this TransformsCatalog.TextTransforms catalog, Classifier classifier, string inputColumnName = "Text",
        string? pairColumnName = null, string predictedLabelColumnName = "PredictedLabel", string scoreColumnName = "Score")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(classifier);
        var columns = new ClassifierColumns(inputColumnName, pairColumnName, predictedLabelColumnName, scoreColumnName);
        return new ClassifierEstimator(new ClassifierSource(classifier), columns);
    }
}
