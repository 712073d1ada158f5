using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Reporting;

/// <summary>Writes what happens in a run as JSON lines into <c>train_log.jsonl</c> of its folder, one line an event.</summary>
/// <remarks>A resumed run takes the lines after its checkpoint back, so that the file reads as if the run had never stopped.</remarks>
/// <param name="time">The clock; null takes the system's.</param>
public sealed class JsonLog(TimeProvider? time = null) : TrainerCallback
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "train_log.jsonl";

    private const string SaveEvent = "save", EndEvent = "train_end";

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        var path = FileOf(args);
        var kept = state.GlobalStep > 0 && File.Exists(path) ? UpToCheckpoint(File.ReadAllLines(path), state.GlobalStep) : [];
        AtomicFile.WriteText(path, string.Concat(kept.Select(line => line + "\n")));
        Write(args, state, "train_begin", new JsonObject { ["max_steps"] = state.MaxSteps, ["num_train_epochs"] = state.NumTrainEpochs });
    }

    /// <inheritdoc/>
    public override void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs) =>
        Write(args, state, "log", TrainerStateJson.Entry(logs));

    /// <inheritdoc/>
    public override void OnSave(TrainingArguments args, TrainerState state, TrainerControl control) => Write(
        args, state, SaveEvent, new JsonObject { ["checkpoint"] = CheckpointFiles.Folder(args.OutputDir, state.GlobalStep) });

    /// <inheritdoc/>
    public override void OnTrainEnd(TrainingArguments args, TrainerState state, TrainerControl control) => Write(args, state, EndEvent, []);

    private static string FileOf(TrainingArguments args) => Path.Combine(args.OutputDir, FileName);

    /// <summary>The lines up to the one that says that the checkpoint was saved: what follows is done, and written, again.</summary>
    private static IEnumerable<string> UpToCheckpoint(string[] lines, long step)
    {
        var events = Array.ConvertAll(lines, EventOf);
        var saved = Array.FindLastIndex(events, one => one == (step, SaveEvent));
        // The process may have been killed before it could write that line.
        return lines.Where((_, i) => saved >= 0 ? i <= saved && events[i].Step <= step : events[i].Step <= step && events[i].Name != EndEvent);
    }

    /// <summary>Step and name of a line; one that was cut off belongs to no step.</summary>
    private static (long Step, string? Name) EventOf(string line)
    {
        try
        {
            var json = PythonJson.Parse(Encoding.UTF8.GetBytes(line), FileName);
            return ((long?)json?["step"] ?? long.MaxValue, (string?)json?["event"]);
        }
        catch (AttuneException)
        {
            return (long.MaxValue, null);
        }
    }

    private void Write(TrainingArguments args, TrainerState state, string name, JsonObject content)
    {
        var line = new JsonObject { ["time"] = _time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), ["event"] = name, ["step"] = state.GlobalStep };
        foreach (var (key, value) in content) line[key] = value?.DeepClone();
        try
        {
            Directory.CreateDirectory(args.OutputDir);
            File.AppendAllText(FileOf(args), PythonJson.Write(line) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(FileOf(args), e);
        }
    }
}
