using System.Text.Json;
using System.Text.Json.Serialization;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Explanations;

/// <summary>The body of <c>POST /v1/explain</c>: a text whose words are asked about.</summary>
internal sealed record ExplainRequest
{
    /// <summary>The text.</summary>
    public string? Text { get; init; }

    /// <summary>The second text of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>The label that the words speak for or against; the most probable where none is given.</summary>
    public string? Label { get; init; }

    /// <exception cref="ProblemException">There is no text, or no such label.</exception>
    internal void Check(Classifier classifier)
    {
        if (Text is null) throw new ProblemException(StatusCodes.Status400BadRequest, "The request has no text; give text, a string.");
        if (Label is not null && !classifier.LabelNames.Contains(Label))
            throw new ProblemException(StatusCodes.Status400BadRequest, "label must be one of the labels of this model; GET /v1/model lists them.");
    }

    /// <summary>Writes the words by their places, for their letters are the client's own.</summary>
    internal static void Answer(Utf8JsonWriter json, Attributions found)
    {
        json.WriteStartObject();
        json.WriteString("label", found.Label);
        json.WriteString("method", found.Method == AttributionMethod.IntegratedGradients ? "integrated_gradients" : "occlusion");
        json.WriteStartArray("words");
        foreach (var word in found.Words)
        {
            json.WriteStartObject();
            json.WriteNumber("start", word.Start);
            json.WriteNumber("length", word.End - word.Start);
            json.WriteBoolean("pair", word.IsOfPair);
            json.WriteNumber("influence", (float)word.Score);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>The form of the request, compiled. Strict: a member that is unknown, or given twice, is refused.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExplainRequest))]
internal sealed partial class ExplainJson : JsonSerializerContext;
