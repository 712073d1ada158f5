using System.Globalization;
using System.Text.Json;
using Attune.Tests.Hub;

namespace Attune.EndToEndTests;

/// <summary>The program and a hub: several processes, processes that are killed, and the verbs.</summary>
public sealed class HubTests : IDisposable
{
    private const int Size = 1_500_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-hub-").FullName;
    private readonly HubServer _server = new();
    private readonly HubRepository _model;

    public HubTests()
    {
        _model = _server.Add("models/org/model");
        var tiny = TinyModel.Write(Path.Combine(_folder, "tiny"));
        var weights = new byte[Size];
        new Random(5).NextBytes(weights);
        _model.Commit([.. Directory.GetFiles(tiny).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file))), ("model.safetensors", weights)]);
    }

    private string Cache => Path.Combine(_folder, "hf-home", "hub");

    private string Repo => Path.Combine(Cache, "models--org--model");

    private (string, string)[] Environment => [("HF_ENDPOINT", _server.Endpoint.AbsoluteUri), ("HF_HUB_OFFLINE", "0")];

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Download_EightProcesses_GiveOneSnapshotAndNothingPartial()
    {
        _server.Then = (call, reply) => call.IsStorage ? reply with { Pause = TimeSpan.FromMilliseconds(10) } : reply;
        var processes = Enumerable.Range(0, 8).Select(_ => Start("download", "org/model")).ToList();
        foreach (var process in processes)
        {
            var result = process.Wait().Good();
            Assert.Equal(Path.Combine(Repo, "snapshots", _model.Branches["main"]) + "\n", result.Out);
            process.Dispose();
        }
        AssertWhole();
        Assert.Equal(1, _server.Calls.Count(call => call.IsStorage));
    }

    [Fact]
    public void Download_KilledAnywhere_NextRunSucceeds()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        var random = new Random(11);
        var kills = int.Parse(System.Environment.GetEnvironmentVariable("ATTUNE_HUB_KILLS") ?? "4", CultureInfo.InvariantCulture);
        var (pieces, killed) = (Size / (1 << 16), 0);
        for (var i = 0; i < kills; i++)
        {
            // One in three a moment after the last piece, while files are put in their places.
            var (target, delay) = i % 3 == 2 ? (pieces, random.Next(60)) : (random.Next(pieces), 0);
            using var reached = new ManualResetEventSlim();
            var count = 0;
            _server.Sent = call =>
            {
                if (call.IsStorage && count++ >= target) reached.Set();
            };
            _server.Then = (call, reply) => call.IsStorage ? reply with { Pause = TimeSpan.FromMilliseconds(1) } : reply;
            using (var process = Start("download", "org/model"))
            {
                reached.Wait(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
                Thread.Sleep(delay);
                process.Signal("KILL");
                if (process.Wait().Code != 0) killed++;
            }
            _server.Sent = _ => { };
            _server.Then = (_, reply) => reply;
            if (File.Exists(Path.Combine(Repo, "refs", "main"))) AssertWhole();                // whoever finds the branch finds it whole
            Run("download", "org/model").Good();
            AssertWhole();
            Directory.Delete(Cache, recursive: true);
        }
        Assert.True(killed > kills / 3, $"{killed} of {kills} were killed in time.");
    }

    [Fact]
    public void Download_CtrlC_StopsInOrderAndGoesOn()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        using var reached = new ManualResetEventSlim();
        _server.Then = (call, reply) => call.IsStorage ? reply with { Pause = TimeSpan.FromMilliseconds(20) } : reply;
        _server.Sent = call =>
        {
            if (call.IsStorage && call.Sent > Size / 3) reached.Set();
        };
        using (var process = Start("download", "org/model"))
        {
            Assert.True(reached.Wait(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            process.Signal("INT");
            var stopped = process.Wait();
            Assert.Equal((130, ""), (stopped.Code, stopped.Out));
            Assert.EndsWith("Stopping; Ctrl+C again stops at once.\nStopped; the same command goes on where this one was.\n", stopped.Error, StringComparison.Ordinal);
        }
        var part = Assert.Single(Directory.GetFiles(Path.Combine(Repo, "blobs"), "*.incomplete"));
        var length = new FileInfo(part).Length;
        _server.Then = (_, reply) => reply;
        Run("download", "org/model").Good();
        Assert.Equal(length, _server.Calls.Last(call => call.IsStorage).From);
        AssertWhole();
    }

    [Fact]
    public void Train_NamesOfTheHub_KeepsTheirCommits()
    {
        var random = new Random(2);
        string Csv(int rows) => string.Concat(TinyModel.Rows(rows, random).Select(row => $"{row.Text},{row.Label}\n").Prepend("text,label\n"));
        var data = _server.Add("datasets/org/rows").Commit([("data/train.csv", Bytes(Csv(40))), ("data/test.csv", Bytes(Csv(10))), ("huge.zip", new byte[10])]);
        var tiny = _server.Add("models/org/tiny").Commit([("config.json", _model.Files()["config.json"]), ("vocab.txt", _model.Files()["vocab.txt"])]);
        // A model without weights is enough to begin with.
        Run("train", "--model", "org/tiny", "--dataset", "org/rows", "--output-dir", "run", "--max-steps", "2", "--report-to", "none").Good();
        using var kept = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run", "attune_config.json")));
        Assert.Equal((tiny, data), (kept.RootElement.GetProperty("model_revision").GetString(), kept.RootElement.GetProperty("dataset_revision").GetString()));
        Assert.DoesNotContain(_server.Calls, call => call.Target.EndsWith("huge.zip", StringComparison.Ordinal));

        // The data of the run are of a commit that is here: nobody is asked, and with the hub gone it works the same.
        var before = _server.Calls.Count;
        Run("evaluate", "run", "--split", "test").Good();
        Assert.Equal(before, _server.Calls.Count);
        AttuneVerb.Run(_folder, "evaluate", "run", "--split", "test").Good();
    }

    [Fact]
    public void Train_DatasetThatOnlyAScriptMakes_TakesWhatTheHubConverted()
    {
        var random = new Random(3);
        var rows = string.Concat(TinyModel.Rows(30, random).Select(row => $"{row.Text},{row.Label}\n").Prepend("text,label\n"));
        var repository = _server.Add("datasets/org/script");
        repository.Commit([("script.py", Bytes("import os")), ("README.md", Bytes("# Rows"))]);
        string[] train = ["train", "--model", "tiny", "--dataset", "org/script", "--output-dir", "run", "--max-steps", "1", "--overwrite-output-dir"];
        Assert.Contains("org/script on the hub has no data file", Run(train).Error, StringComparison.Ordinal);
        var commit = repository.Commit([("default/partial-train/0000.csv", Bytes(rows))], "refs/convert/parquet");
        var result = Run(train).Good();
        Assert.Contains("Warning: the split train of org/script is only a part of the data", result.Error, StringComparison.Ordinal);
        using var kept = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run", "attune_config.json")));
        Assert.Equal(commit, kept.RootElement.GetProperty("dataset_revision").GetString());
        AttuneVerb.Run(_folder, train).Good();              // and so it does without the hub
    }

    [Fact]
    public void Predict_ModelOfAnotherKind_IsRefusedBeforeItsWeightsCome()
    {
        _model.Commit([("config.json", Bytes("{\"model_type\": \"t5\"}")), ("model.safetensors", new byte[Size])]);
        var result = Run("predict", "--model", "org/model", "a text");
        Assert.Equal(1, result.Code);
        Assert.Matches("attune: .*config\\.json describes a model of type \"t5\"; Attune has [^\n]*bert[^\n]*\\.\n$", result.Error);
        Assert.DoesNotContain(_server.Calls, call => call.IsStorage);
    }

    [Fact]
    public void Tokenize_NameOfTheHub_FetchesNoWeights()
    {
        Assert.Contains("film", Run("tokenize", "--model", "org/model", "a film").Good().Out, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Calls, call => call.IsStorage);
    }

    [Fact]
    public void Evaluate_ThresholdsIntoTheCache_AreRefused()
    {
        var result = Run("evaluate", "org/model", "--threshold", "auto", "--save-thresholds");
        Assert.Equal(2, result.Code);
        Assert.Contains("fetch it by attune download org/model --local-dir FOLDER, and evaluate FOLDER.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Download_DryRunPatternsAndFolder_DoAsTheySay()
    {
        using var plan = JsonDocument.Parse(Run("download", "org/model", "--dry-run", "--json").Good().Out);
        Assert.Equal(3, plan.RootElement.GetProperty("files").GetArrayLength());
        Assert.False(Directory.Exists(Path.Combine(Repo, "blobs")));
        // A link of older tools leads into a cache, whose content stays what it is.
        var kept = Path.Combine(_folder, "kept");
        File.WriteAllText(kept, "former");
        Directory.CreateDirectory(Path.Combine(_folder, "here"));
        if (!OperatingSystem.IsWindows()) File.CreateSymbolicLink(Path.Combine(_folder, "here", "config.json"), kept);
        var result = Run("download", "org/model", "--include", "*.json", "*.txt", "--exclude", "vocab*", "--local-dir", "here", "--json").Good();
        Assert.Equal("former", File.ReadAllText(kept));
        using var done = JsonDocument.Parse(result.Out);
        Assert.Equal((_model.Branches["main"], "config.json"),
            (done.RootElement.GetProperty("commit").GetString(), Assert.Single(done.RootElement.GetProperty("files").EnumerateArray()).GetString()));
        Assert.Equal(_model.Files()["config.json"], File.ReadAllBytes(Path.Combine(_folder, "here", "config.json")));
        Assert.Null(new FileInfo(Path.Combine(_folder, "here", "config.json")).LinkTarget);
        Assert.Equal((2, "attune: attune download takes one name, such as bert-base-uncased.\n"), (Run("download").Code, Run("download").Error));
    }

    [Fact]
    public void Cache_ListVerifyRemove_Work()
    {
        Run("download", "org/model", "--quiet").Good();
        var list = Run("cache", "ls").Good().Out;
        Assert.Matches($"model \"org/model\"  main \\({_model.Branches["main"][..8]}\\)\n1 repository, 1\\.5 MB, in ", list);
        Assert.Equal("ok       the model \"org/model\": 3 files\n", Run("cache", "verify").Good().Out);
        File.WriteAllText(Path.Combine(Repo, "snapshots", _model.Branches["main"], "vocab.txt"), "damage");
        var damaged = Run("cache", "verify", "org/model");
        Assert.Equal(1, damaged.Code);
        Assert.StartsWith("DAMAGED  the model \"org/model\": models--org--model/blobs/", damaged.Out, StringComparison.Ordinal);
        Assert.Contains("Did you mean \"org/model\"?", Run("cache", "rm", "org/modle").Error, StringComparison.Ordinal);
        Run("cache", "rm", "org/model", "--dry-run").Good();
        Assert.True(Directory.Exists(Repo));
        Assert.Equal("1.5 MB are free again.\n", Run("cache", "rm", "org/model").Good().Out);
        Assert.False(Directory.Exists(Repo));
        Assert.Equal(2, Run("cache", "clean").Code);
        Assert.Equal(2, AttuneProcess.Run(_folder, "cache").Code);
    }

    [Fact]
    public void Login_Token_IsCheckedStoredForOneselfAndNeverShown()
    {
        _server.Instead = call => !call.Target.EndsWith("/api/whoami-v2", StringComparison.Ordinal) ? null
            : call.Token == "Bearer hf_mine" ? HubReply.Json("{\"name\": \"someone\", \"auth\": {\"accessToken\": {\"role\": \"write\"}}}")
            : HubReply.Refused(401, "", "Invalid user token.");
        _server.Token = "hf_mine";
        _model.IsPrivate = true;
        var file = Path.Combine(_folder, "hf-home", "token");
        var wrong = AttuneProcess.Run(_folder, ["login"], "hf_wrong\n", Environment);
        Assert.Equal((1, false), (wrong.Code, File.Exists(file)));
        Assert.Contains("does not take the token of what was given", wrong.Error, StringComparison.Ordinal);
        var login = AttuneProcess.Run(_folder, ["login"], "hf_mine\n", Environment).Good();
        Assert.Equal($"Logged in as someone (the token may read and write); the token is stored in {file}.\n", login.Error);
        Assert.Equal("hf_mine", File.ReadAllText(file));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var download = Run("download", "org/model").Good();
        AssertWhole();
        Assert.DoesNotContain("hf_", login.Error + login.Out + wrong.Error + download.Out + download.Error.Replace("hf-home", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Run("login", "--logout").Good();
        Assert.False(File.Exists(file));
        Assert.Contains("or it is private", Run("download", "org/model").Error, StringComparison.Ordinal);
        Assert.Matches("^There is no folder org/typo here, so the hub is asked for a model of that name.\nattune: There is no folder org/typo here, and fetching a model of that name from the hub fails: " +
            "There is no model \"org/typo\" on .*, or it is private; .*\n$", Run("predict", "--model", "org/typo", "a text").Error);
    }

    [Fact]
    public void TrainAndPush_ToTheHub_ModelIsThere()
    {
        (string, string)[] environment = [.. Environment, ("HF_TOKEN", _server.Token)];
        TinyModel.Csv(Path.Combine(_folder, "train.csv"), 20, seed: 4);
        string[] train = ["train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "my-run", "--max-steps", "1", "--push-to-hub", "--hub-private-repo"];
        var refused = AttuneVerb.Run(_folder, train, null, Environment);
        Assert.Equal((1, "attune: push_to_hub needs a token of the hub that may write; log in by attune login, or set HF_TOKEN.\n"), (refused.Code, refused.Error));
        var result = AttuneVerb.Run(_folder, train, null, environment).Good();
        Assert.Contains($"{_server.Endpoint}someone/my-run has the model now, as the commit ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Token, result.Error, StringComparison.Ordinal);
        var there = _server.Repositories["models/someone/my-run"].Files();
        foreach (var file in new[] { "config.json", "model.safetensors", "vocab.txt", "README.md" })
            Assert.True(File.ReadAllBytes(Path.Combine(_folder, "my-run", file)).AsSpan().SequenceEqual(there[file]), file);
        Assert.DoesNotContain(there.Keys, path => path.StartsWith("checkpoint-", StringComparison.Ordinal));
        Assert.Equal("private", _server.Uploads.Created["models/someone/my-run"]["visibility"]!.ToString());

        Assert.Equal($"{_server.Endpoint}someone/my-run\n", AttuneProcess.Run(_folder, ["push", "my-run", "my-run"], null, environment).Good().Out);
        AttuneVerb.Run(_folder, ["predict", "--model", "someone/my-run", "a good film"], null, environment).Good();
    }

    private void AssertWhole()
    {
        var snapshot = Path.Combine(Repo, "snapshots", _model.Branches["main"]);
        Assert.Equal(snapshot, Assert.Single(Directory.GetDirectories(Path.Combine(Repo, "snapshots"))));
        foreach (var (name, content) in _model.Files()) Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(snapshot, name))), name);
        Assert.Equal(_model.Branches["main"], File.ReadAllText(Path.Combine(Repo, "refs", "main")));
        Assert.Equal(_model.Files().Count, Directory.GetFiles(Path.Combine(Repo, "blobs")).Length);
    }

    private AttuneProcess Start(params string[] words) => AttuneProcess.Start(_folder, words, Environment);

    private Result Run(params string[] words) => AttuneVerb.Run(_folder, words, null, Environment);

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
