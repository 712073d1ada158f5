using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Reporting;

/// <summary>Sends the log of a run to an MLflow server: arguments, every value that is logged, and how the run ended.</summary>
/// <remarks>
/// All goes into a queue on the disk, in the folder <c>.mlflow</c> of the run; another thread sends it. The run neither waits for the server
/// nor fails with it, and what could not be sent is sent at the next start in the same folder. A resumed run goes on in its run of MLflow and
/// does not send again what it has sent before.
/// </remarks>
public sealed class MlflowLog : TrainerCallback, IDisposable
{
    /// <summary>Name of the folder of the queues.</summary>
    internal const string FolderName = ".mlflow";

    // What log-batch takes at a time, and the longest value of older servers.
    private const int MostParameters = 100, LongestParameter = 500;
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(5);

    private readonly MlflowSettings _settings;
    private readonly Action<string> _notice;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private MlflowQueue? _queue;
    private MlflowSender? _sender;
    private bool _isEnded;

    /// <param name="settings">Where to send it.</param>
    /// <param name="notice">Is told in one line what does not reach the server.</param>
    /// <param name="patience">How long the end of the run waits for the rest to be sent; null for 5 seconds.</param>
    /// <param name="time">The clock; null takes the system's.</param>
    internal MlflowLog(MlflowSettings settings, Action<string>? notice, TimeSpan? patience = null, TimeProvider? time = null) =>
        (_settings, _notice, _patience, _time) = (settings, notice ?? (_ => { }), patience ?? DefaultPatience, time ?? TimeProvider.System);

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control) => Queue(() =>
    {
        var folder = Path.Combine(args.OutputDir, FolderName);
        var queues = MlflowQueue.All(folder);
        if (state.GlobalStep > 0 && queues is [.., var last])
        {
            _queue = last;
            Add("runs/update", new JsonObject { ["status"] = "RUNNING" });
        }
        else
        {
            _queue = MlflowQueue.Create(folder);
            queues = [.. queues, _queue];
            Create(args);
        }
        _isEnded = false;
        _sender = new MlflowSender(_settings, queues, _notice, _patience);
    });

    /// <inheritdoc/>
    public override void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs) => Queue(() =>
    {
        if (_queue is null || state.LogHistory.Count <= _queue.Logs) return;
        var time = _time.GetUtcNow().ToUnixTimeMilliseconds();
        Add("runs/log-batch", new JsonObject
        {
            ["metrics"] = new JsonArray([.. logs.Select(log => new JsonObject
            {
                ["key"] = log.Key, ["value"] = Number(log.Value), ["timestamp"] = time, ["step"] = state.GlobalStep,
            })]),
        }, isLog: true);
    });

    /// <inheritdoc/>
    public override void OnTrainEnd(TrainingArguments args, TrainerState state, TrainerControl control) =>
        End(control.ShouldTrainingStop || state.GlobalStep >= state.MaxSteps ? "FINISHED" : "KILLED");

    /// <summary>Waits some seconds for the rest to be sent; a run that did not come to its end has failed.</summary>
    public void Dispose()
    {
        if (_sender is null) return;
        if (!_isEnded) End("FAILED");
        _sender.Dispose();
        _sender = null;
    }

    private void Create(TrainingArguments args)
    {
        var id = Guid.NewGuid().ToString("N");
        var name = args.RunName ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(args.OutputDir)));
        _queue!.Add(new JsonObject
        {
            ["call"] = "runs/create",
            ["id"] = id,
            ["body"] = new JsonObject
            {
                ["run_name"] = name,
                ["start_time"] = _time.GetUtcNow().ToUnixTimeMilliseconds(),
                ["tags"] = new JsonArray(Pair("mlflow.runName", name), Pair("mlflow.source.name", "attune"), Pair(MlflowSender.Tag, id)),
            },
        });
        var values = ArgumentTable.Of<TrainingArguments>().ToJson(args)
            .Select(pair => Pair(pair.Key, pair.Value is null ? "None" : pair.Value.GetValueKind() == JsonValueKind.String ? pair.Value.GetValue<string>() : PythonJson.Write(pair.Value)));
        foreach (var some in values.Chunk(MostParameters)) Add("runs/log-batch", new JsonObject { ["params"] = new JsonArray([.. some]) });
    }

    private void End(string status) => Queue(() =>
    {
        Add("runs/update", new JsonObject { ["status"] = status, ["end_time"] = _time.GetUtcNow().ToUnixTimeMilliseconds() });
        _isEnded = true;
    });

    private void Add(string call, JsonObject body, bool isLog = false)
    {
        var line = new JsonObject { ["call"] = call, ["body"] = body };
        if (isLog) line["log"] = true;
        _queue?.Add(line);
        _sender?.Wake();
    }

    /// <summary>The log of a server is no reason to lose a run: where the queue cannot be written, nothing more is queued.</summary>
    private void Queue(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is AttuneException or IOException or UnauthorizedAccessException)
        {
            _queue = null;
            _notice($"The log for MLflow cannot be kept, and from here on is not sent: {e.Message}");
        }
    }

    private static JsonObject Pair(string key, string value) => new() { ["key"] = key, ["value"] = value.Length > LongestParameter ? value[..LongestParameter] : value };

    /// <summary>JSON has no numbers for what is none; protobuf's JSON, which MLflow reads, has words.</summary>
    private static JsonValue Number(double value) => double.IsFinite(value) ? JsonValue.Create(value)
        : JsonValue.Create(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity")!;
}
