using System.Text.Json;
using Attune.Inference;
using Attune.Models;

namespace Attune.AspNetCore;

/// <summary>What <c>GET /v1/model</c> tells of the model.</summary>
internal static class ModelFacts
{
    internal static void Write(Utf8JsonWriter json, Classifier classifier)
    {
        json.WriteStartObject();
        json.WriteString("problem_type", ConfigReader.Name(classifier.ProblemType));
        json.WriteStartArray("labels");
        foreach (var label in classifier.LabelNames) json.WriteStringValue(label);
        json.WriteEndArray();
        json.WriteNumber("max_length", classifier.MaxLength);
        json.WriteString("long_texts", classifier.Settings.LongTexts == LongTexts.Windows ? "windows" : "truncate");
        if (classifier.ProblemType == ProblemType.MultiLabelClassification)
        {
            json.WriteStartObject("thresholds");
            foreach (var (label, threshold) in classifier.LabelNames.Zip(classifier.Settings.ThresholdsOf(classifier.LabelNames)).DistinctBy(pair => pair.First))
                json.WriteNumber(label, threshold);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
