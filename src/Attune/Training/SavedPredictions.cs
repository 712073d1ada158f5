using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Training;

/// <summary>
/// What a run predicted of each row of its evaluation, kept beside its results so that runs can be compared row by row:
/// <c>predictions/eval.safetensors</c> with <c>logits</c> (rows, columns) and <c>labels</c> (rows, or rows and columns), both float32 and in
/// the order of the rows; its metadata names the task and the classes.
/// </summary>
/// <param name="Prediction">Logits and labels.</param>
/// <param name="Classes">The names of the columns.</param>
internal sealed record SavedPredictions(EvalPrediction Prediction, IReadOnlyList<string> Classes)
{
    private const string Logits = "logits", Labels = "labels", Task = "task", Names = "classes";

    /// <exception cref="AttuneException">The file cannot be written.</exception>
    internal static void Write(string folder, string split, EvalPrediction prediction, IReadOnlyList<string> classes)
    {
        long[] shape = [prediction.Rows, prediction.Columns];
        AtomicFile.CreateFolder(Path.Combine(folder, CheckpointFiles.PredictionsFolder));
        SafeTensors.Write(
            Path.Combine(folder, CheckpointFiles.Predictions(split)),
            [
                TensorToWrite.Of(Logits, WeightType.F32, shape, prediction.Logits),
                TensorToWrite.Of(Labels, WeightType.F32, prediction.Task == TaskKind.SingleLabel ? shape[..1] : shape, prediction.Labels),
            ],
            new OrderedDictionary<string, string>
            {
                [Task] = prediction.Task.ToString(),
                [Names] = PythonJson.Write(new JsonArray([.. classes.Select(name => (JsonNode)name)])),
            });
    }

    /// <summary>Reads the predictions of a run; null where its folder has none.</summary>
    /// <exception cref="AttuneException">The file is damaged.</exception>
    internal static SavedPredictions? Read(string folder, string split)
    {
        var path = Path.Combine(folder, CheckpointFiles.Predictions(split));
        if (!File.Exists(path)) return null;
        using var file = SafeTensors.Open(path);
        if (file.Find(Logits) is not { Type: WeightType.F32, Shape: [var rows, var columns] } logits || file.Find(Labels) is not { Type: WeightType.F32 } labels
            || !Enum.TryParse(file.Metadata.GetValueOrDefault(Task), out TaskKind task) || rows < 1 || columns < 1 || rows * columns > Array.MaxLength
            || !labels.Shape.SequenceEqual(task == TaskKind.SingleLabel ? [rows] : [rows, columns])
            || NamesOf(file.Metadata.GetValueOrDefault(Names), path) is not { } classes || classes.Count != columns)
            throw new AttuneException($"{path} does not hold the predictions of a run; train the run again, or take it out of the comparison.");
        var known = Floats(file, labels);
        if (task == TaskKind.SingleLabel && known.Any(label => label != ClassLabels.Ignored && !(label >= 0 && label < columns && label == MathF.Floor(label))))
            throw new AttuneException($"{path} has labels that are no classes; train the run again, or take it out of the comparison.");
        return new SavedPredictions(new EvalPrediction(Floats(file, logits), (int)rows, (int)columns, known, task), classes);
    }

    private static float[] Floats(WeightFile file, WeightEntry entry)
    {
        var values = new float[entry.ByteCount / sizeof(float)];
        file.Read(entry, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static IReadOnlyList<string>? NamesOf(string? json, string path) =>
        json is not null && PythonJson.Parse(System.Text.Encoding.UTF8.GetBytes(json), path) is JsonArray names ? [.. names.Select(name => name?.ToString() ?? "")] : null;
}
