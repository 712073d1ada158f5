using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Reporting;

/// <summary>What is to be sent of one run, on the disk: a line for each call, and beside it how far it has been sent.</summary>
/// <remarks>The lines are written by the thread that trains and read by the one that sends.</remarks>
internal sealed class MlflowQueue
{
    private const string Prefix = "run-", LinesEnd = ".jsonl", SentEnd = ".sent.json";

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly List<JsonObject> _lines;
    private int _sent;

    private MlflowQueue(string path)
    {
        _path = path;
        _lines = Read(path);
        if (!File.Exists(SentFile)) return;
        var json = PythonJson.ReadFile(SentFile) as JsonObject;
        (_sent, RunId, IsCreating) = ((int?)json?["lines"] ?? 0, (string?)json?["run_id"], (bool?)json?["creating"] ?? false);
    }

    /// <summary>The server's name for the run; null until it has one.</summary>
    internal string? RunId { get; private set; }

    /// <summary>Whether the server was asked to create the run and the answer is not known: it may have done so.</summary>
    internal bool IsCreating { get; private set; }

    /// <summary>How many of the run's logs are in the queue, sent or not.</summary>
    internal int Logs
    {
        get
        {
            lock (_lock) return _lines.Count(line => line["log"] is not null);
        }
    }

    /// <summary>The next line to send; null where all are sent.</summary>
    internal JsonObject? Next
    {
        get
        {
            lock (_lock) return _sent < _lines.Count ? _lines[_sent] : null;
        }
    }

    private string SentFile => _path[..^LinesEnd.Length] + SentEnd;

    /// <summary>The queues in a folder, oldest first.</summary>
    /// <exception cref="AttuneException">One cannot be read.</exception>
    internal static IReadOnlyList<MlflowQueue> All(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, Prefix + "*" + LinesEnd).Where(file => Number(file) is not null).OrderBy(Number).Select(file => new MlflowQueue(file))];

    /// <summary>A new queue in a folder, which is made where it is missing.</summary>
    internal static MlflowQueue Create(string folder)
    {
        AtomicFile.CreateFolder(folder);
        var last = Directory.EnumerateFiles(folder, Prefix + "*" + LinesEnd).Max(Number) ?? 0;
        return new MlflowQueue(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{last + 1}{LinesEnd}")));
    }

    /// <summary>Adds a line.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal void Add(JsonObject line)
    {
        lock (_lock)
        {
            File.AppendAllText(_path, line.ToJsonString() + "\n");
            _lines.Add(line);
        }
    }

    /// <summary>Notes that the next line is dealt with.</summary>
    internal void MarkSent()
    {
        lock (_lock) _sent++;
        Keep();
    }

    /// <summary>Notes that the run is about to be created, or under which name it was.</summary>
    internal void MarkCreated(string? runId)
    {
        (RunId, IsCreating) = (runId, runId is null);
        Keep();
    }

    private void Keep() => AtomicFile.Write(SentFile, stream => stream.Write(Encoding.UTF8.GetBytes(
        new JsonObject { ["run_id"] = RunId, ["lines"] = _sent, ["creating"] = IsCreating }.ToJsonString())), isDurable: false);

    /// <summary>The whole lines of a file. One that was cut off when a process was killed is taken away, so that the next begins a line of its own.</summary>
    private static List<JsonObject> Read(string path)
    {
        if (!File.Exists(path)) return [];
        var text = File.ReadAllText(path);
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        if (whole.Length < text.Length) AtomicFile.WriteText(path, whole);
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => PythonJson.Parse(Encoding.UTF8.GetBytes(line), path)).OfType<JsonObject>()
            .Where(line => line["call"] is JsonValue && line["body"] is JsonObject)];
    }

    private static int? Number(string file)
    {
        var name = Path.GetFileName(file);
        return int.TryParse(name.AsSpan(Prefix.Length, name.Length - Prefix.Length - LinesEnd.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
    }
}
