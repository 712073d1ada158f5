using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>An object a line.</summary>
internal class JsonLinesAnswers(AnswerColumns columns, TextWriter output) : AnswerWriter(columns)
{
    private const int Digits = 6;
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ArrayBufferWriter<byte> _bytes = new();

    internal override void Write(TextInput input, TextPrediction prediction) => output.Write(ObjectOf(input, prediction) + "\n");

    internal override void Flush() => output.Flush();

    /// <summary>An answer as an object.</summary>
    private protected string ObjectOf(TextInput input, TextPrediction prediction)
    {
        _bytes.Clear();
        using (var json = new Utf8JsonWriter(_bytes, Readable))
        {
            json.WriteStartObject();
            foreach (var (name, value) in Columns.Carried.Zip(Columns.CarriedOf(input)))
            {
                json.WritePropertyName(name);
                Write(json, value);
            }
            Write(json, Rules.Of(prediction));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(_bytes.WrittenSpan);
    }

    private void Write(Utf8JsonWriter json, Answer answer)
    {
        if (Rules.IsRegression)
        {
            json.WriteNumber(Columns.Score, Math.Round(answer.Score, Digits));
            return;
        }
        if (Rules.HasSeveral && answer.Chosen is null) json.WriteNull(Columns.Labels);
        else if (Rules.HasSeveral)
        {
            json.WriteStartArray(Columns.Labels);
            foreach (var (label, _) in answer.Chosen!) json.WriteStringValue(label);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString(Columns.Label, answer.Label);
            json.WriteNumber(Columns.Probability, Math.Round(answer.Score, Digits));
        }
        json.WriteStartObject(Columns.Probabilities);
        foreach (var (label, probability) in answer.Classes) json.WriteNumber(label, Math.Round(probability, Digits));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool truth: json.WriteBooleanValue(truth); break;
            case sbyte or byte or short or ushort or int or uint or long: json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case ulong number: json.WriteNumberValue(number); break;
            case decimal number: json.WriteNumberValue(number); break;
            case Half or float or double when double.IsFinite(CellText.Number(value)): json.WriteNumberValue(CellText.Number(value)); break;
            case Array list:
                json.WriteStartArray();
                foreach (var element in list) Write(json, element);
                json.WriteEndArray();
                break;
            default: json.WriteStringValue(CellText.Of(value)); break;
        }
    }
}
