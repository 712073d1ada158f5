using Attune.Checkpoints;
using Attune.Reporting;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Reporting;

[Collection("torch")]
public sealed class MlflowLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_ServerThatAnswers_HasArgumentsEveryValueAndTheEnd()
    {
        using var server = new MlflowServer();
        var state = Train(server.Address, change: arguments => arguments with { RunName = "mine" }, experiment: "trials");
        var run = Assert.Single(server.Runs);
        Assert.Equal(("mine", server.Experiments["trials"]), ((string)run.Body["run_name"]!, (string)run.Body["experiment_id"]!));
        Assert.Equal("2", run.Parameters["per_device_train_batch_size"]);
        Assert.Equal(ArgumentTable.Of<TrainingArguments>().All.Count, run.Parameters.Count);
        Assert.Equal(Values(state), run.Metrics);
        Assert.Equal(["FINISHED"], run.Statuses);
        Assert.Empty(_notices);
    }

    [Fact]
    public void Run_NoServer_EndsAsEverAndTheNextRunSendsItsLog()
    {
        var port = MlflowServer.FreePort();
        var address = new Uri($"http://127.0.0.1:{port}/");
        var first = Train(address);
        Assert.Equal(9, first.GlobalStep);
        Assert.Contains(_notices, notice => notice.StartsWith($"Not all of the log has reached MLflow at {address};", StringComparison.Ordinal));
        using var server = new MlflowServer(port);
        var second = Train(address, change: arguments => arguments with { OverwriteOutputDir = true });
        Assert.Equal(2, server.Runs.Count);
        Assert.Equal(Values(first), server.Runs[0].Metrics);
        Assert.Equal(Values(second), server.Runs[1].Metrics);
        Assert.All(server.Runs, run => Assert.Equal(["FINISHED"], run.Statuses));
    }

    [Fact]
    public void Run_ServerThatNeverAnswers_IsNotHeldUp()
    {
        using var server = new MlflowServer { IsSilent = true };
        Assert.Equal(9, Train(server.Address, patience: TimeSpan.FromMilliseconds(50)).GlobalStep);
        Assert.Single(_notices, notice => notice.StartsWith("Not all of the log has reached MLflow", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_ServerOutOfOrder_SendsTheRestAtTheNextStartAndNothingTwice()
    {
        using var server = new MlflowServer { Refuse = (_, number) => number > 6 ? 503 : null };
        var first = Train(server.Address);
        Assert.True(server.Runs[0].Metrics.Count < Values(first).Count);
        server.Refuse = (_, _) => null;
        Train(server.Address, change: arguments => arguments with { OverwriteOutputDir = true });
        Assert.Equal(Values(first), server.Runs[0].Metrics);
        Assert.Equal(2, server.Runs.Count);
    }

    [Fact]
    public void Run_AnswerToItsCreationLost_IsNotCreatedTwice()
    {
        using var server = new MlflowServer();
        server.Refuse = (call, _) =>
        {
            if (call != "runs/create" || server.Runs.Count > 0) return null;
            return 500;
        };
        Train(server.Address);
        Assert.Empty(server.Runs);
        // Now the server has created it, and what it said was lost.
        var queue = File.ReadAllLines(Path.Combine(_folder.Path, "run", ".mlflow", "run-1.jsonl"));
        server.Runs.Add(new MlflowRun(System.Text.Json.Nodes.JsonNode.Parse(queue[0])!["body"]!.AsObject()));
        server.Refuse = (_, _) => null;
        Train(server.Address, change: arguments => arguments with { OverwriteOutputDir = true });
        Assert.Equal(2, server.Runs.Count);
        Assert.NotEmpty(server.Runs[0].Metrics);
        Assert.Contains("runs/search", server.Calls);
    }

    [Fact]
    public void Run_PartThatTheServerNeverTakes_IsLeftOutAndTheRestSent()
    {
        using var server = new MlflowServer();
        var isFirst = true;
        server.Refuse = (call, _) =>
        {
            if (call != "runs/log-batch" || !isFirst) return null;
            isFirst = false;
            return 400;
        };
        var state = Train(server.Address);
        Assert.Equal(Values(state), Assert.Single(server.Runs).Metrics);
        Assert.Single(_notices, notice => notice.StartsWith("MLflow does not take a part of the log", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Run_ThatDiedAndWentOn_IsOneRunWithoutAValueTwice(int dieAfter)
    {
        using var server = new MlflowServer();
        Train(server.Address, dieAfter: dieAfter);
        Assert.Equal(["FAILED"], Assert.Single(server.Runs).Statuses);
        var state = Train(server.Address, resume: "true");
        var run = Assert.Single(server.Runs);
        Assert.Equal(Values(state).Select(value => (value.Step, value.Key)).Order(), run.Metrics.Select(value => (value.Step, value.Key)).Order());
        Assert.Equal(Values(state).Where(value => LoggedRun.IsRepeatable(value.Key)).Order(), run.Metrics.Where(value => LoggedRun.IsRepeatable(value.Key)).Order());
        Assert.Equal(["FAILED", "RUNNING", "FINISHED"], run.Statuses);
    }

    [Fact]
    public void Run_StoppedFromOutside_IsKilled()
    {
        using var server = new MlflowServer();
        Train(server.Address, stopAfter: 4);
        Assert.Equal(["KILLED"], Assert.Single(server.Runs).Statuses);
    }

    [Fact]
    public void Queue_LineThatWasCutOff_IsTakenAway()
    {
        var queue = MlflowQueue.Create(_folder.Path);
        queue.Add(new() { ["call"] = "a", ["body"] = new System.Text.Json.Nodes.JsonObject() });
        File.AppendAllText(Path.Combine(_folder.Path, "run-1.jsonl"), "{\"call\": \"b");
        var again = Assert.Single(MlflowQueue.All(_folder.Path));
        again.Add(new() { ["call"] = "c", ["body"] = new System.Text.Json.Nodes.JsonObject() });
        again.MarkSent();
        Assert.Equal("c", (string)again.Next!["call"]!);
        Assert.Equal("c", (string)Assert.Single(MlflowQueue.All(_folder.Path)).Next!["call"]!);
    }

    private TrainerState Train(Uri address, int? stopAfter = null, int? dieAfter = null, string? resume = null, TimeSpan? patience = null, string? experiment = null,
        Func<TrainingArguments, TrainingArguments>? change = null)
    {
        using var log = new MlflowLog(new MlflowSettings(address, experiment ?? "Default"), Tell, patience ?? TimeSpan.FromSeconds(20));
        return LoggedRun.Train(Path.Combine(_folder.Path, "run"), log, stopAfter, dieAfter, resume, change);
    }

    private void Tell(string notice)
    {
        lock (_notices) _notices.Add(notice);
    }

    private static List<(long Step, string Key, string Value)> Values(TrainerState state) => [.. state.LogHistory.SelectMany(entry => entry
        .Where(value => value.Key != "step").Select(value => ((long)entry["step"], value.Key, Text(value.Value))))];

    private static string Text(double value) => System.Text.Json.Nodes.JsonValue.Create(value).ToJsonString();
}
