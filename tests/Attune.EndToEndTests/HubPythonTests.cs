using System.Diagnostics;
using Attune.Tests.Hub;

namespace Attune.EndToEndTests;

/// <summary>
/// The cache and Hugging Face's own client: what one downloads the other finds. ATTUNE_HUB_PYTHON names a Python that has huggingface_hub; the
/// tests skip without it.
/// </summary>
public sealed class HubPythonTests : IDisposable
{
    private const string NoPython = "ATTUNE_HUB_PYTHON names no Python with huggingface_hub.";
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-python-").FullName;
    private readonly HubServer _server = new();
    private readonly HubRepository _model;

    public HubPythonTests()
    {
        _model = _server.Add("models/org/model");
        var tiny = TinyModel.Write(Path.Combine(_folder, "tiny"));
        var weights = new byte[3_000_000];
        new Random(5).NextBytes(weights);
        _model.Commit([.. Directory.GetFiles(tiny).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file))), ("model.safetensors", weights), ("deep/er/notes.txt", "x"u8.ToArray())]);
    }

    private string Snapshot => Path.Combine(_folder, "hf-home", "hub", "models--org--model", "snapshots", _model.Branches["main"]);

    private static string? Interpreter => System.Environment.GetEnvironmentVariable("ATTUNE_HUB_PYTHON");

    private (string, string)[] Environment => [("HF_ENDPOINT", _server.Endpoint.AbsoluteUri.TrimEnd('/')), ("HF_HUB_OFFLINE", "0")];

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Cache_OfAttune_IsReadByPython()
    {
        Assert.SkipWhen(string.IsNullOrEmpty(Interpreter), NoPython);
        AttuneProcess.Run(_folder, ["download", "org/model", "--include", "*"], null, Environment).Good();
        var before = _server.Calls.Count;
        Assert.Equal(Snapshot, Python("print(snapshot_download('org/model', local_files_only=True))"));
        Assert.Equal(Path.Combine(Snapshot, "deep/er/notes.txt"), Python("print(hf_hub_download('org/model', 'deep/er/notes.txt', local_files_only=True))"));
        Assert.Equal("True", Python("from huggingface_hub import try_to_load_from_cache, _CACHED_NO_EXIST; print(try_to_load_from_cache('org/model', 'merges.txt') is _CACHED_NO_EXIST)"));
        Assert.Equal("1 org/model ['main'] 4 0", Python("i = scan_cache_dir(); r = list(i.repos)[0]; v = list(r.revisions)[0]; print(len(i.repos), r.repo_id, sorted(v.refs), len(v.files), len(i.warnings))"));
        Assert.DoesNotContain(_server.Calls.Skip(before), call => call.Target.Contains("org/model", StringComparison.Ordinal));
        // With the hub at hand it fetches nothing either.
        Assert.Equal(Snapshot, Python("print(snapshot_download('org/model'))"));
        Assert.DoesNotContain(_server.Calls.Skip(before), call => call.IsStorage || call.Method == "GET" && call.Target.Contains("/resolve/", StringComparison.Ordinal));
    }

    [Fact]
    public void Cache_OfPython_IsReadByAttune()
    {
        Assert.SkipWhen(string.IsNullOrEmpty(Interpreter), NoPython);
        Assert.Equal(Snapshot, Python("print(snapshot_download('org/model'))"));
        var before = _server.Calls.Count;
        Assert.Equal(Snapshot + "\n", AttuneProcess.Run(_folder, "download", "org/model").Good().Out);
        Assert.Equal(before, _server.Calls.Count);
        Assert.Equal(Snapshot + "\n", AttuneProcess.Run(_folder, ["download", "org/model"], null, Environment).Good().Out);
        Assert.DoesNotContain(_server.Calls.Skip(before), call => call.IsStorage || call.Method == "GET" && call.Target.Contains("/resolve/", StringComparison.Ordinal));
        Assert.Contains("ok       the model \"org/model\": 4 files", AttuneProcess.Run(_folder, "cache", "verify").Good().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_AtTheSameTime_FetchOnce()
    {
        Assert.SkipWhen(string.IsNullOrEmpty(Interpreter), NoPython);
        _server.Then = (call, reply) => call.IsStorage ? reply with { Pause = TimeSpan.FromMilliseconds(40) } : reply;
        var processes = Enumerable.Range(0, 3).Select(_ => AttuneProcess.Start(_folder, ["download", "org/model", "--include", "*"], Environment)).ToList();
        Parallel.For(0, 3, _ => Assert.Equal(Snapshot, Python("print(snapshot_download('org/model'))")));
        foreach (var process in processes)
        {
            Assert.Equal(Snapshot + "\n", process.Wait().Good().Out);
            process.Dispose();
        }
        Assert.Equal(1, _server.Calls.Count(call => call.IsStorage));
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(Snapshot, "..", "..", "blobs")), file => file.EndsWith(".incomplete", StringComparison.Ordinal));
    }

    private string Python(string program)
    {
        var start = new ProcessStartInfo(Interpreter!, ["-c", "from huggingface_hub import *; " + program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        start.Environment["HF_HOME"] = Path.Combine(_folder, "hf-home");
        start.Environment["HF_HUB_DISABLE_XET"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.GetAwaiter().GetResult());
        return output.Trim();
    }
}
