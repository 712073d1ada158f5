using System.Text.Json;
using Attune.Inference;
using Attune.Models;

namespace Attune.AspNetCore.Requests;

/// <summary>The body of <c>POST /v1/classify</c>: one text or many, or pairs of texts.</summary>
internal sealed record ClassifyRequest : TextRequest
{
    /// <summary>One text.</summary>
    public string? Text { get; init; }

    /// <summary>The second text of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>Many texts.</summary>
    public string[]? Texts { get; init; }

    /// <summary>The second text of each.</summary>
    public string[]? Pairs { get; init; }

    /// <summary>How many classes each answer names with their probabilities, the most probable first.</summary>
    public int? TopK { get; init; }

    /// <summary>From which probability on a class counts as predicted; below it a model with one class for each text abstains.</summary>
    public double? Threshold { get; init; }

    internal override void Check(Classifier classifier)
    {
        CheckTopK(TopK);
        if (Threshold is not (null or >= 0 and <= 1)) throw Bad("threshold must lie between 0 and 1.");
        if (Threshold is not null && classifier.ProblemType == ProblemType.Regression) throw Bad("threshold makes no sense here: this model gives a number and no classes.");
    }

    internal override void Answer(Utf8JsonWriter json, Classifier classifier, IReadOnlyList<TextPrediction> predictions)
    {
        var kind = classifier.ProblemType;
        double[]? thresholds = Threshold is { } from && kind == ProblemType.MultiLabelClassification ? [.. classifier.LabelNames.Select(_ => from)] : null;
        json.WriteStartObject();
        json.WriteStartArray("predictions"u8);
        for (var i = 0; i < predictions.Count; i++) Answer(json, kind, AsAsked(predictions[i], thresholds));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    protected override TextInputs Given() => (Text, Texts) switch
    {
        (not null, not null) => throw Bad("The request has both text and texts; give one of them."),
        (null, null) => throw Bad("The request has no text; give text (a string) or texts (an array of strings)."),
        ({ } text, _) when Pairs is null => new TextInputs([text], Pair is null ? null : [Pair]),
        (_, { } texts) when Pair is null => new TextInputs(texts, Pairs),
        _ => throw Bad("pair belongs to text, and pairs to texts; the request mixes them."),
    };

    /// <summary>The request's threshold in the place of the folder's: of one class that below which the model abstains, of several that of each label, by which its sureness is measured too.</summary>
    private TextPrediction AsAsked(TextPrediction prediction, double[]? thresholds) => Threshold is null ? prediction
        : thresholds is null ? prediction with { AbstainBelow = Threshold } : prediction with { Thresholds = thresholds };

    private void Answer(Utf8JsonWriter json, ProblemType kind, TextPrediction prediction)
    {
        json.WriteStartObject();
        if (kind == ProblemType.Regression) json.WriteNumber("score"u8, (float)prediction.Score);
        else
        {
            json.WriteString("label"u8, prediction.Label);
            json.WriteNumber("score"u8, (float)prediction.Score);
            if (kind == ProblemType.MultiLabelClassification)
            {
                json.WriteStartArray("labels"u8);
                foreach (var label in prediction.ChosenLabels) json.WriteStringValue(label);
                json.WriteEndArray();
            }
            json.WriteBoolean("abstained"u8, prediction.IsAbstained);
            json.WritePropertyName("probabilities"u8);
            WriteScores(json, prediction.Labels, prediction.Scores, TopK);
        }
        json.WriteEndObject();
    }
}
