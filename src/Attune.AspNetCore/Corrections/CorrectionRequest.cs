using System.Text.Json;
using Attune.Inference;
using Attune.Models;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Corrections;

/// <summary>The body of <c>POST /v1/corrections</c>: a text with the label that is right.</summary>
internal sealed record CorrectionRequest
{
    /// <summary>The text.</summary>
    public string? Text { get; init; }

    /// <summary>The second text of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>The right label; an array of them where a text has several, a number for a regression.</summary>
    public JsonElement Label { get; init; }

    /// <summary>What the model said, in the same form.</summary>
    public JsonElement Predicted { get; init; }

    /// <summary>Refuses what could not be trained with.</summary>
    /// <exception cref="ProblemException">There is no text, or a label is not the model's.</exception>
    internal void Check(Classifier classifier)
    {
        if (string.IsNullOrWhiteSpace(Text)) throw Bad("The correction has no text; give text, a string with at least one word.");
        if (Text.Contains('\0', StringComparison.Ordinal) || Pair?.Contains('\0', StringComparison.Ordinal) == true)
            throw Bad("The text has NUL characters, and could not be trained with; remove them.");
        CheckLabel("label", Label, classifier);
        CheckLabel("predicted", Predicted, classifier);
    }

    /// <summary>Writes the row under the names by which training finds its columns.</summary>
    internal void Write(Utf8JsonWriter json, DateTimeOffset time)
    {
        json.WriteString(Pair is null ? "text" : "sentence1", Text);
        if (Pair is not null) json.WriteString("sentence2", Pair);
        json.WritePropertyName("label");
        Label.WriteTo(json);
        json.WritePropertyName("predicted");
        Predicted.WriteTo(json);
        json.WriteString("time", time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
    }

    private static void CheckLabel(string what, JsonElement given, Classifier classifier)
    {
        var isRight = classifier.ProblemType switch
        {
            ProblemType.Regression => given.ValueKind == JsonValueKind.Number && given.TryGetDouble(out var number) && double.IsFinite(number),
            ProblemType.MultiLabelClassification => given.ValueKind == JsonValueKind.Array && given.EnumerateArray().All(IsLabel) &&
                given.EnumerateArray().Select(label => label.GetString()).Distinct().Count() == given.GetArrayLength(),
            _ => IsLabel(given),
        };
        if (isRight) return;
        throw Bad(classifier.ProblemType switch
        {
            ProblemType.Regression => $"{what} must be a number.",
            ProblemType.MultiLabelClassification => $"{what} must be an array of labels of this model, each once; GET /v1/model lists them.",
            _ => $"{what} must be one of the labels of this model; GET /v1/model lists them.",
        });

        bool IsLabel(JsonElement label) => TextOf(label) is { } text && classifier.LabelNames.Contains(text);
    }

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;                                                   // half of a surrogate pair as an escape
        }
    }

    private static ProblemException Bad(string detail) => new(StatusCodes.Status400BadRequest, detail);
}
