using System.Text.Json;
using Attune.Datasets;

namespace Attune.AspNetCore.Page;

/// <summary>What <c>GET /v1/page</c> tells the page beside the model's own facts.</summary>
/// <param name="Name">What the model is called.</param>
/// <param name="MaxTexts">Texts that one request may have.</param>
/// <param name="Corrects">Whether corrections are kept.</param>
internal sealed record PageFacts(string Name, int MaxTexts, bool Corrects)
{
    internal static void Write(Utf8JsonWriter json, PageFacts facts)
    {
        json.WriteStartObject();
        json.WriteString("name", facts.Name);
        json.WriteString("version", AttuneVersion.Text);
        json.WriteNumber("max_texts", facts.MaxTexts);
        json.WriteBoolean("corrections", facts.Corrects);
        json.WriteStartArray("text_columns");
        foreach (var names in UsualColumns.Texts) Write(json, names);
        json.WriteEndArray();
        json.WritePropertyName("label_columns");
        Write(json, UsualColumns.Labels);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string[] names)
    {
        json.WriteStartArray();
        foreach (var name in names) json.WriteStringValue(name);
        json.WriteEndArray();
    }
}
