using System.Text.Json;
using System.Text.Json.Serialization;

namespace Attune.AspNetCore.Requests;

/// <summary>The forms of requests, compiled. Strict: a member that is unknown, or given twice, is refused.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ClassifyRequest))]
[JsonSerializable(typeof(HuggingFaceRequest))]
internal sealed partial class RequestJson : JsonSerializerContext;
