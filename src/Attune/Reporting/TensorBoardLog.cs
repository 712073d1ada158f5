using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Reporting;

/// <summary>Writes the log of a run for TensorBoard, with the tags of transformers' callback, into <see cref="TrainingArguments.LoggingDir"/>.</summary>
/// <remarks>
/// A checkpoint remembers the file and its length: the run that goes on from it takes back what follows and goes on in the same file, so
/// that TensorBoard shows one run that has never stopped.
/// </remarks>
/// <param name="time">The clock; null takes the system's.</param>
public sealed class TensorBoardLog(TimeProvider? time = null) : TrainerCallback
{
    private const string Attributes = "attributes";

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private EventFile? _file;
    private string? _folder;
    private JsonObject? _saved;

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        ArgumentNullException.ThrowIfNull(args);
        _folder = Path.GetFullPath(args.OutputDir);
        // A checkpoint of another folder begins another run: the log of the first stays whole.
        _file = _saved is { } saved && (string?)saved["output_dir"] == _folder && (string?)saved["file"] is { } file
            ? EventFile.Continue(file, (long?)saved["bytes"] ?? 0) : null;
        _saved = null;
        if (_file is not null) return;
        _file = EventFile.Create(NewFile(Path.GetFullPath(args.LoggingDir ?? DefaultFolder(args))), Seconds);
        _file.Add(EventMessage.Text(Seconds, "args/text_summary", PythonJson.Write(ArgumentTable.Of<TrainingArguments>().ToJson(args), indent: 2)));
    }

    /// <inheritdoc/>
    public override void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(logs);
        _file?.Add(EventMessage.Scalars(Seconds, state.GlobalStep, logs.Select(log => (Tag(log.Key), log.Value))));
    }

    /// <inheritdoc/>
    protected internal override JsonObject ExportState() => new()
    {
        ["args"] = new JsonObject(),
        [Attributes] = new JsonObject { ["output_dir"] = _folder, ["file"] = _file?.Path, ["bytes"] = _file?.Length },
    };

    /// <inheritdoc/>
    protected internal override void RestoreState(JsonObject saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        _saved = saved[Attributes] as JsonObject;
    }

    private double Seconds => _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>A name as TensorFlow gives it, that no file has yet.</summary>
    private string NewFile(string folder)
    {
        for (var number = 0; ; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture,
                $"events.out.tfevents.{_time.GetUtcNow().ToUnixTimeSeconds()}.{Environment.MachineName}.{Environment.ProcessId}.{number}");
            if (Path.Combine(folder, name) is var path && !File.Exists(path)) return path;
        }
    }

    private string DefaultFolder(TrainingArguments args) => Path.Combine(args.OutputDir, "runs",
        _time.GetLocalNow().ToString("MMMdd_HH-mm-ss_", CultureInfo.InvariantCulture) + Environment.MachineName);

    private static string Tag(string name)
    {
        foreach (var split in (string[])["eval", "test"])
            if (name.StartsWith(split + "_", StringComparison.Ordinal)) return $"{split}/{name[(split.Length + 1)..]}";
        return "train/" + name;
    }
}
