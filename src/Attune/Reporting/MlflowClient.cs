using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Reporting;

/// <summary>The few calls of MLflow's REST interface (version 2.0) that a run needs.</summary>
internal sealed class MlflowClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = new() { Timeout = Patience };
    private readonly MlflowSettings _settings;
    private readonly CancellationToken _stop;

    internal MlflowClient(MlflowSettings settings, CancellationToken stop)
    {
        (_settings, _stop) = (settings, stop);
        _http.DefaultRequestHeaders.Authorization = settings.Authorization;
    }

    /// <summary>What a server can answer to a call besides doing it.</summary>
    internal sealed class RefusedException(string message, HttpStatusCode status) : Exception(message)
    {
        /// <summary>Whether the call may succeed later as it is.</summary>
        internal bool IsPassing => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized
            or HttpStatusCode.Forbidden || (int)status >= 500;

        internal bool IsAbsent => status == HttpStatusCode.NotFound;
    }

    /// <summary>The number of the experiment, which is created where there is none of its name.</summary>
    internal string Experiment()
    {
        try
        {
            return Text(Call(HttpMethod.Get, "experiments/get-by-name?experiment_name=" + Uri.EscapeDataString(_settings.Experiment), null)["experiment"]?["experiment_id"]);
        }
        catch (RefusedException e) when (e.IsAbsent)
        {
            return Text(Call(HttpMethod.Post, "experiments/create", new JsonObject { ["name"] = _settings.Experiment })["experiment_id"]);
        }
    }

    /// <summary>The run that has a tag; null where there is none.</summary>
    internal string? Find(string experiment, string tag, string value)
    {
        var found = Call(HttpMethod.Post, "runs/search", new JsonObject
        {
            ["experiment_ids"] = new JsonArray(experiment),
            ["filter"] = $"tags.\"{tag}\" = '{value}'",
            ["max_results"] = 1,
        });
        return found["runs"] is JsonArray { Count: > 0 } runs ? Text(runs[0]?["info"]?["run_id"]) : null;
    }

    /// <summary>Creates a run and gives its name.</summary>
    internal string Create(string experiment, JsonObject run)
    {
        var body = (JsonObject)run.DeepClone();
        body["experiment_id"] = experiment;
        return Text(Call(HttpMethod.Post, "runs/create", body)["run"]?["info"]?["run_id"]);
    }

    /// <summary>Any call of a run.</summary>
    internal void Send(string path, string run, JsonObject body)
    {
        body = (JsonObject)body.DeepClone();
        body["run_id"] = run;
        Call(HttpMethod.Post, path, body);
    }

    public void Dispose() => _http.Dispose();

    /// <exception cref="RefusedException">The server does not do it.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, or its answer is none of MLflow's.</exception>
    private JsonObject Call(HttpMethod method, string path, JsonObject? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(_settings.Server, "api/2.0/mlflow/" + path));
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = _http.Send(request, _stop);
        using var reader = new StreamReader(answer.Content.ReadAsStream(_stop));
        var text = reader.ReadToEnd();
        if (!answer.IsSuccessStatusCode) throw new RefusedException($"it answers {(int)answer.StatusCode}{Reason(text)}", answer.StatusCode);
        return Parsed(text) ?? throw new HttpRequestException("its answer is none of MLflow's");
    }

    private static string Reason(string text) => Parsed(text)?["message"] is JsonValue message ? $" ({Formats.Shown.Of(message.ToString())})" : "";

    private static JsonObject? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Text(JsonNode? value) => value?.ToString() ?? throw new HttpRequestException("its answer is none of MLflow's");
}
