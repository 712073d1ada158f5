using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Formats;
using Attune.Inference;
using Attune.Models;

namespace Attune.Cli;

/// <summary>Writes predictions as they come, in one of the four forms.</summary>
internal sealed class AnswerWriter : IDisposable
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly PredictArguments _what;
    private readonly Classifier _classifier;
    private readonly Terminal _terminal;
    private readonly StringBuilder? _file;
    private readonly OutputFormat _format;
    private bool _isStarted;

    internal AnswerWriter(PredictArguments what, Classifier classifier, Terminal terminal)
    {
        (_what, _classifier, _terminal, _format) = (what, classifier, terminal, what.OutputFormat ?? OutputFormat.Text);
        if (what.OutputFile is not { } file) return;
        AtomicFile.RequireWritable(file);
        _file = new StringBuilder();
    }

    private IReadOnlyList<string> Names => _classifier.LabelNames;

    private bool IsRegression => _classifier.ProblemType == ProblemType.Regression;

    internal void Write(IReadOnlyList<TextInput> inputs, IReadOnlyList<TextPrediction> predictions)
    {
        if (!_isStarted) Begin(hasPairs: inputs[0].Pair is not null);
        for (var i = 0; i < inputs.Count; i++)
        {
            if (_format == OutputFormat.Text) Line(AsText(inputs[i], predictions[i]));
            else if (_format == OutputFormat.Csv) Line(AsCsv(inputs[i], predictions[i]));
            else if (_format == OutputFormat.Jsonl) Line(AsJson(inputs[i], predictions[i]));
            else Put((_isStarted ? "," : "") + "\n" + AsJson(inputs[i], predictions[i]));
            _isStarted = true;
        }
        _terminal.Out.Flush();
    }

    /// <summary>Ends what was begun; the file is there whole or not at all.</summary>
    internal void Finish()
    {
        if (_format == OutputFormat.Json) Line("\n]}");
        if (_file is not null) AtomicFile.WriteText(_what.OutputFile!, _file.ToString());
    }

    public void Dispose() => _terminal.Out.Flush();

    private void Begin(bool hasPairs)
    {
        if (_format == OutputFormat.Json) Put("{\"predictions\": [");
        if (_format == OutputFormat.Csv)
            Line(string.Join(',', new[] { "text", hasPairs ? "text_pair" : null, "label", IsRegression ? null : "probability" }.OfType<string>()
                .Concat(IsRegression ? [] : Names).Select(CsvCell.Of)));
    }

    private string AsText(TextInput input, TextPrediction prediction)
    {
        var (label, score) = Answer(prediction);
        var texts = OneLine(input.Text) + (input.Pair is null ? "" : "\t" + OneLine(input.Pair));
        return IsRegression ? $"{score}\t{texts}" : $"{label}\t{score}\t{texts}";
    }

    private string AsCsv(TextInput input, TextPrediction prediction)
    {
        var (label, score) = Answer(prediction);
        string?[] cells = [input.Text, input.Pair, IsRegression ? score : label, IsRegression ? null : score,
            .. IsRegression ? [] : prediction.Scores.Select(Number)];
        return string.Join(',', cells.OfType<string>().Select(CsvCell.Of));
    }

    private string AsJson(TextInput input, TextPrediction prediction)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Readable))
        {
            json.WriteStartObject();
            json.WriteString("text", input.Text);
            if (input.Pair is not null) json.WriteString("text_pair", input.Pair);
            if (IsRegression) json.WriteNumber("score", Math.Round(prediction.Score, 6));
            else
            {
                if (_classifier.ProblemType == ProblemType.MultiLabelClassification)
                {
                    json.WriteStartArray("labels");
                    foreach (var label in prediction.ChosenLabels) json.WriteStringValue(label);
                    json.WriteEndArray();
                }
                else
                {
                    json.WriteString("label", prediction.Label);
                    json.WriteNumber("probability", Math.Round(prediction.Score, 6));
                }
                json.WriteStartObject("probabilities");
                for (var i = 0; i < Names.Count; i++) json.WriteNumber(Names[i], Math.Round(prediction.Scores[i], 6));
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>What to call the answer, and how sure it is: of several labels each has its own probability.</summary>
    private (string Label, string Score) Answer(TextPrediction prediction)
    {
        if (_classifier.ProblemType != ProblemType.MultiLabelClassification) return (prediction.Label, Number(prediction.Score));
        var chosen = Enumerable.Range(0, Names.Count).Where(prediction.IsChosen).ToList();
        return (string.Join(';', chosen.Select(i => Names[i])), string.Join(';', chosen.Select(i => Number(prediction.Scores[i]))));
    }

    private static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Replace('\t', ' ');

    private void Line(string line) => Put(line + "\n");

    private void Put(string text)
    {
        if (_file is not null) _file.Append(text);
        else _terminal.Out.Write(text);
    }
}
