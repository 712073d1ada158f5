using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Tests.Reporting;

/// <summary>As much of an MLflow server as a run asks for, on this machine, which can be absent, out of order or slow.</summary>
internal sealed class MlflowServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ManualResetEventSlim _never = new(false);
    private readonly Lock _lock = new();
    private readonly List<string> _calls = [];

    internal MlflowServer(int? port = null)
    {
        Address = new Uri($"http://127.0.0.1:{port ?? FreePort()}/");
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        new Thread(Serve) { IsBackground = true }.Start();
    }

    internal Uri Address { get; }

    /// <summary>The status with which it answers a call in the place of doing it; null lets it do it. Is given the call's name and its number from 1.</summary>
    internal Func<string, int, int?> Refuse { get; set; } = (_, _) => null;

    /// <summary>Whether it takes calls and never answers.</summary>
    internal bool IsSilent { get; set; }

    /// <summary>The experiments by name.</summary>
    internal Dictionary<string, string> Experiments { get; } = new() { ["Default"] = "0" };

    /// <summary>The runs in the order in which they were created.</summary>
    internal List<MlflowRun> Runs { get; } = [];

    /// <summary>The names of all calls.</summary>
    internal IReadOnlyList<string> Calls
    {
        get
        {
            lock (_lock) return [.. _calls];
        }
    }

    /// <summary>A port on which nobody listens.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        _never.Set();
        _listener.Close();
    }

    private void Serve()
    {
        try
        {
            while (true) Answer(_listener.GetContext());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // It was closed.
        }
    }

    private void Answer(HttpListenerContext context)
    {
        if (IsSilent) _never.Wait();
        using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
        var body = reader.ReadToEnd() is { Length: > 0 } text ? JsonNode.Parse(text)!.AsObject() : [];
        var call = context.Request.Url!.AbsolutePath.Replace("/api/2.0/mlflow/", "", StringComparison.Ordinal);
        int number;
        lock (_lock)
        {
            _calls.Add(call);
            number = _calls.Count;
        }
        var (status, answer) = Refuse(call, number) is { } refused ? (refused, new JsonObject { ["message"] = "not now" }) : Do(call, body, context.Request.QueryString["experiment_name"]);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.OutputStream.Write(Encoding.UTF8.GetBytes(answer.ToJsonString()));
        context.Response.Close();
    }

    private (int, JsonObject) Do(string call, JsonObject body, string? experiment)
    {
        switch (call)
        {
            case "experiments/get-by-name":
                return Experiments.TryGetValue(experiment!, out var known) ? (200, new JsonObject { ["experiment"] = new JsonObject { ["experiment_id"] = known } })
                    : (404, new JsonObject { ["error_code"] = "RESOURCE_DOES_NOT_EXIST" });
            case "experiments/create":
                var id = Experiments.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
                Experiments.Add((string)body["name"]!, id);
                return (200, new JsonObject { ["experiment_id"] = id });
            case "runs/create":
                Runs.Add(new MlflowRun(body));
                return (200, new JsonObject { ["run"] = new JsonObject { ["info"] = new JsonObject { ["run_id"] = $"run{Runs.Count - 1}" } } });
            case "runs/search":
                var found = Runs.FindIndex(run => ((string)body["filter"]!).Contains((string)run.Body["tags"]!.AsArray().Single(tag => (string)tag!["key"]! == "attune.queue")!["value"]!, StringComparison.Ordinal));
                return (200, found < 0 ? [] : new JsonObject { ["runs"] = new JsonArray(new JsonObject { ["info"] = new JsonObject { ["run_id"] = $"run{found}" } }) });
            default:
                var run = Runs[int.Parse(((string)body["run_id"]!)[3..], System.Globalization.CultureInfo.InvariantCulture)];
                if (call == "runs/update") run.Statuses.Add((string)body["status"]!);
                foreach (var one in body["params"] as JsonArray ?? []) run.Parameters.Add((string)one!["key"]!, (string)one["value"]!);
                foreach (var one in body["metrics"] as JsonArray ?? []) run.Metrics.Add(((long)one!["step"]!, (string)one["key"]!, one["value"]!.ToString()));
                return (200, []);
        }
    }
}

/// <summary>What a server knows of a run.</summary>
internal sealed record MlflowRun(JsonObject Body)
{
    internal List<string> Statuses { get; } = [];

    internal Dictionary<string, string> Parameters { get; } = [];

    internal List<(long Step, string Key, string Value)> Metrics { get; } = [];
}
