using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli;

/// <summary>
/// <c>eval_predictions.jsonl</c>: what a run predicted of each text of its evaluation, an object a line in their order, so that any metric can be computed again
/// and two runs be compared text by text; <c>test_predictions.jsonl</c> is the same of its test split. The texts themselves are not in it.
/// </summary>
/// <remarks>
/// <c>index</c> counts the texts from 0; <c>label</c> and <c>prediction</c> are names of classes, lists of them where texts have several, or
/// numbers; <c>probabilities</c> (not of numbers) has one for each class, by its name, with all its digits, before any temperature. In the fold of a
/// cross-validation <c>row</c> is the number of the text among the training texts, from 0.
/// </remarks>
/// <param name="Prediction">Labels, and logits that give the probabilities of the file; in a regression the numbers themselves.</param>
/// <param name="Classes">The names of the columns; none in a regression.</param>
internal sealed partial record RunPredictions(EvalPrediction Prediction, IReadOnlyList<string> Classes)
{
    private const string Index = "index", Row = "row", Label = "label", Predicted = "prediction", Scores = "probabilities";

    /// <summary>Of each row its number among the training texts; null where the run was no fold.</summary>
    internal int[]? Rows { get; init; }

    /// <summary>Of rows with a model's labels; a regression has no names of classes.</summary>
    internal static RunPredictions Of(EvalPrediction rows, IReadOnlyList<string> labels) => new(rows, rows.Task == TaskKind.Regression ? [] : labels);

    /// <summary>Reads the predictions of a run; null where its folder has none.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="file">Those of its evaluation, or of its test split.</param>
    /// <exception cref="AttuneException">The file is damaged.</exception>
    internal static RunPredictions? Read(string folder, string file = CheckpointFiles.EvalPredictions)
    {
        var path = Path.Combine(folder, file);
        if (!File.Exists(path)) return null;
        JsonObject[] rows = [.. File.ReadLines(path).Index().Select(line => PythonJson.Parse(Encoding.UTF8.GetBytes(line.Item), $"{path}, row {line.Index + 1}") as JsonObject ?? throw Damaged(path, line.Index))];
        if (rows is []) throw Damaged(path, 0);
        var classes = rows[0][Scores] is JsonObject scores ? scores.Select(score => score.Key).ToList() : [];
        var task = classes.Count == 0 ? TaskKind.Regression : rows[0][Label] is JsonArray ? TaskKind.MultiLabel : TaskKind.SingleLabel;
        var columns = Math.Max(1, classes.Count);
        var logits = new float[checked(rows.Length * columns)];
        var labels = new float[task == TaskKind.SingleLabel ? rows.Length : logits.Length];
        foreach (var (place, row) in rows.Index())
        {
            var isSound = task switch
            {
                TaskKind.SingleLabel => One(row, classes, logits.AsSpan(place * columns, columns), ref labels[place]),
                TaskKind.MultiLabel => Several(row, classes, logits.AsSpan(place * columns, columns), labels.AsSpan(place * columns, columns)),
                _ => Number(row[Predicted], out logits[place]) && Number(row[Label], out labels[place]),
            };
            if (!isSound) throw Damaged(path, place);
        }
        return new RunPredictions(new EvalPrediction(logits, rows.Length, columns, labels, task), classes)
        {
            Rows = Array.TrueForAll(rows, row => row[Row] is JsonValue value && value.TryGetValue(out int number) && number >= 0) ? Array.ConvertAll(rows, row => row[Row]!.GetValue<int>()) : null,
        };
    }

    private static bool One(JsonObject row, List<string> classes, Span<float> logits, ref float label)
    {
        label = row[Label] is null ? ClassLabels.Ignored : row[Label]!.GetValueKind() == JsonValueKind.String ? classes.IndexOf(row[Label]!.GetValue<string>()) : -1;
        if (label is < 0 and not ClassLabels.Ignored || !Read(row, classes, logits)) return false;
        foreach (ref var probability in logits) probability = MathF.Log(probability);          // whose softmax they are
        return true;
    }

    private static bool Several(JsonObject row, List<string> classes, Span<float> logits, Span<float> labels)
    {
        if (row[Label] is not JsonArray names || !Read(row, classes, logits)) return false;
        foreach (ref var probability in logits) probability = MathF.Log(probability) - MathF.Log(1 - probability);
        foreach (var name in names)
        {
            if (name?.GetValueKind() != JsonValueKind.String || classes.IndexOf(name.GetValue<string>()) is not (>= 0 and var place)) return false;
            labels[place] = 1;
        }
        return true;
    }

    private static bool Read(JsonObject row, List<string> classes, Span<float> values)
    {
        if (row[Scores] is not JsonObject scores || scores.Count != classes.Count) return false;
        for (var i = 0; i < classes.Count; i++)
            if (!Number(scores[classes[i]], out values[i]) || values[i] is not (>= 0 and <= 1)) return false;
        return true;
    }

    private static bool Number(JsonNode? value, out float number)
    {
        number = 0;
        if (value?.GetValueKind() != JsonValueKind.Number) return false;
        number = value.AsValue().TryGetValue(out double real) ? (float)real : float.NaN;
        return float.IsFinite(number);
    }

    private static AttuneException Damaged(string path, int row) => new(
        $"{path}, row {row + 1}: this is no prediction of a run; train the run again, or take it out of the comparison.");
}
