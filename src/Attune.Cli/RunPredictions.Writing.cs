using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli;

internal sealed partial record RunPredictions
{
    /// <summary>Values (texts times classes) up to which the file is written without being asked for: some megabytes.</summary>
    private const long FewValues = 200_000;

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file where it is asked for, or small and not refused; else one of an earlier evaluation goes, for it would pass for one of this.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="rows">What was measured.</param>
    /// <param name="names">Names of the classes.</param>
    /// <param name="isWanted">What <c>save_eval_predictions</c> says.</param>
    /// <param name="numbers">Of each row its number among the training texts; null where they are not of a fold.</param>
    /// <param name="file">Of the evaluation, or of the test split.</param>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal static void Write(
        string folder, EvalPrediction rows, IReadOnlyList<string> names, bool? isWanted, int[]? numbers = null, string file = CheckpointFiles.EvalPredictions)
    {
        var path = Path.Combine(folder, file);
        if (!(isWanted ?? rows.Logits.LongLength <= FewValues))
        {
            File.Delete(path);
            return;
        }
        AtomicFile.Write(path, stream =>
        {
            var scores = rows.Task switch
            {
                TaskKind.SingleLabel => Probabilities.Softmax(rows.Logits, rows.Columns),
                TaskKind.MultiLabel => Probabilities.Sigmoid(rows.Logits),
                _ => null,
            };
            var (best, chosen) = (rows.Predictions, rows.Task == TaskKind.MultiLabel ? rows.PredictedLabels : []);
            for (var row = 0; row < rows.Rows; row++)
            {
                using (var json = new Utf8JsonWriter(stream, Readable))
                {
                    json.WriteStartObject();
                    json.WriteNumber(Index, row);
                    if (numbers is not null) json.WriteNumber(Row, numbers[row]);
                    if (rows.Task == TaskKind.SingleLabel)
                    {
                        Name(json, Label, (int)rows.Labels[row]);
                        Name(json, Predicted, best[row]);
                    }
                    else if (rows.Task == TaskKind.MultiLabel)
                    {
                        List(json, Label, row, at => rows.Labels[at] > 0.5f);
                        List(json, Predicted, row, at => chosen[at]);
                    }
                    else
                    {
                        json.WriteNumber(Label, rows.Labels[row * rows.Columns]);
                        json.WriteNumber(Predicted, rows.Logits[row * rows.Columns]);
                    }
                    if (scores is not null)
                    {
                        json.WriteStartObject(Scores);
                        for (var column = 0; column < rows.Columns; column++) json.WriteNumber(names[column], scores[row * rows.Columns + column]);
                        json.WriteEndObject();
                    }
                    json.WriteEndObject();
                }
                stream.WriteByte((byte)'\n');
            }
        });

        void Name(Utf8JsonWriter json, string key, int number)
        {
            if (number >= 0 && number < names.Count) json.WriteString(key, names[number]);
            else json.WriteNull(key);                                       // a row whose label does not count
        }

        void List(Utf8JsonWriter json, string key, int row, Func<int, bool> isIn)
        {
            json.WriteStartArray(key);
            for (var column = 0; column < rows.Columns; column++)
                if (isIn(row * rows.Columns + column)) json.WriteStringValue(names[column]);
            json.WriteEndArray();
        }
    }
}
