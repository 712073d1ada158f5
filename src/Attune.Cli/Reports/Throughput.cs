using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Cli.Experiments;
using Attune.Cli.Pages;
using Attune.Formats;
using Attune.Reporting;

namespace Attune.Cli.Reports;

/// <summary>How fast a run trained, by the times in its <c>train_log.jsonl</c>.</summary>
internal static class Throughput
{
    /// <summary>A point for each line of the log with a loss: the rows since the event before it, by the seconds since then. None where the times are not known.</summary>
    internal static IReadOnlyList<PlotPoint> Of(FinishedRun run)
    {
        var path = Path.Combine(run.Folder, JsonLog.FileName);
        var rows = Number(run.Arguments["per_device_train_batch_size"]) * Number(run.Arguments["gradient_accumulation_steps"]);
        if (!File.Exists(path) || rows is not > 0) return [];
        var points = new List<PlotPoint>();
        (DateTimeOffset Time, double Step)? before = null;
        foreach (var line in File.ReadLines(path))
        {
            if (Event(line) is not { } now) continue;
            if (now.HasLoss && before is { } last && now.Step > last.Step && now.Time > last.Time)
                points.Add(new PlotPoint(now.Step, (now.Step - last.Step) * rows / (now.Time - last.Time).TotalSeconds));
            before = (now.Time, now.Step);
        }
        return points;
    }

    /// <summary>When a line was written, and at which update; null for a line that was cut off.</summary>
    private static (DateTimeOffset Time, double Step, bool HasLoss)? Event(string line)
    {
        try
        {
            return PythonJson.Parse(Encoding.UTF8.GetBytes(line), JsonLog.FileName) is JsonObject json
                && json["event"]?.ToString() is not "save"              // comes when it is written, of an update long past
                && DateTimeOffset.TryParse(json["time"]?.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && Number(json["step"]) is var step && double.IsFinite(step)
                    ? (time, step, json["loss"] is not null) : null;
        }
        catch (AttuneException)
        {
            return null;
        }
    }

    private static double Number(JsonNode? value) => value is JsonValue one && value.GetValueKind() == JsonValueKind.Number && one.TryGetValue(out double number) ? number : double.NaN;
}
