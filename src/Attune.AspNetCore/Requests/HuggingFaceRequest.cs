using System.Text.Json;
using System.Text.Json.Serialization;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.AspNetCore.Requests;

/// <summary>The body as Hugging Face's inference API takes it for text classification, so that its clients can be pointed here.</summary>
internal sealed record HuggingFaceRequest : TextRequest
{
    /// <summary>A string, an object with text and text_pair, or an array of either.</summary>
    [JsonConverter(typeof(HuggingFaceInputs))]
    public required TextInputs Inputs { get; init; }

    /// <summary>What is asked of the answer.</summary>
    public HuggingFaceParameters? Parameters { get; init; }

    /// <summary>Without effect: they steer Hugging Face's own service.</summary>
    public HuggingFaceOptions? Options { get; init; }

    internal override void Check(Classifier classifier)
    {
        CheckTopK(Parameters?.TopK);
        if (Parameters?.FunctionToApply is not (null or "softmax" or "sigmoid" or "none")) throw Bad("function_to_apply must be softmax, sigmoid or none.");
    }

    internal override void Answer(Utf8JsonWriter json, Classifier classifier, IReadOnlyList<TextPrediction> predictions)
    {
        json.WriteStartArray();
        foreach (var prediction in predictions) WriteScores(json, prediction.Labels, Scores(prediction, classifier.Settings.Temperature), Parameters?.TopK);
        json.WriteEndArray();
    }

    protected override TextInputs Given() => Inputs;

    private IReadOnlyList<double> Scores(TextPrediction prediction, double temperature) => Parameters?.FunctionToApply switch
    {
        "softmax" => Probabilities.Softmax(prediction.Logits.Span, prediction.Logits.Length, temperature),
        "sigmoid" => Probabilities.Sigmoid(prediction.Logits.Span, temperature),
        "none" => Array.ConvertAll(prediction.Logits.ToArray(), logit => (double)logit),
        _ => prediction.Scores,
    };
}

/// <summary>What a request in Hugging Face's form may ask of the answer.</summary>
internal sealed record HuggingFaceParameters
{
    /// <summary>How many classes an answer names.</summary>
    public int? TopK { get; init; }

    /// <summary>What makes scores of the model's numbers: softmax, sigmoid or none.</summary>
    public string? FunctionToApply { get; init; }
}

/// <summary>What clients of Hugging Face's service send along, and means nothing here.</summary>
internal sealed record HuggingFaceOptions
{
    public bool? WaitForModel { get; init; }

    public bool? UseCache { get; init; }

    public bool? UseGpu { get; init; }
}

/// <summary>Reads <c>inputs</c>.</summary>
internal sealed class HuggingFaceInputs : JsonConverter<TextInputs>
{
    public override TextInputs Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        List<string> texts = [], pairs = [];
        if (reader.TokenType != JsonTokenType.StartArray) Add(ref reader, texts, pairs);
        else
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) Add(ref reader, texts, pairs);
        return pairs.Count is var count && (count == 0 || count == texts.Count) ? new TextInputs(texts, count == 0 ? null : pairs) : throw new JsonException();
    }

    public override void Write(Utf8JsonWriter writer, TextInputs value, JsonSerializerOptions options) => throw new NotSupportedException();

    private static void Add(ref Utf8JsonReader reader, List<string> texts, List<string> pairs)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            texts.Add(reader.GetString()!);
            return;
        }
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException();
        string? text = null, pair = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isText = reader.ValueTextEquals("text"u8);
            if (!isText && !reader.ValueTextEquals("text_pair"u8) || !reader.Read() || reader.TokenType != JsonTokenType.String) throw new JsonException();
            if ((isText ? text : pair) is not null) throw new JsonException();              // given twice
            if (isText) text = reader.GetString();
            else pair = reader.GetString();
        }
        texts.Add(text ?? throw new JsonException());
        if (pair is not null) pairs.Add(pair);
    }
}
