using System.Text.RegularExpressions;
using Attune.EndToEndTests;

namespace Attune.BrowserTests;

/// <summary>A tiny model, trained once, and the program that serves it for the tests that only ask.</summary>
public sealed partial class ServedModel : IDisposable
{
    private readonly Lazy<Server> _server;

    public ServedModel()
    {
        _server = new Lazy<Server>(() => Serve("--corrections", "corrections.jsonl"));
        Browser.RequireChromium();
        TinyModel.Write(Path.Combine(Folder, "tiny"));
        TinyModel.Csv(Path.Combine(Folder, "train.csv"), 320, seed: 1);
        Train("run", "train.csv");
    }

    internal string Folder { get; } = Directory.CreateTempSubdirectory("attune-page-").FullName;

    /// <summary>The server that all share.</summary>
    internal Uri Address => _server.Value.Address;

    internal string Corrections => Path.Combine(Folder, "corrections.jsonl");

    public void Dispose()
    {
        if (_server.IsValueCreated) _server.Value.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Trains the tiny model on a file of this folder.</summary>
    internal void Train(string output, string file, params string[] words) => AttuneProcess.Run(Folder, [
        "train", "--model", "tiny", "--train-file", file, "--output-dir", output, "--num-train-epochs", "4", "--learning-rate", "2e-3",
        "--per-device-train-batch-size", "8", "--threads", "1", .. words]).Good();

    /// <summary>Starts a server of its own.</summary>
    internal Server Serve(params string[] words) => ServeRun("run", words);

    internal Server ServeRun(string run, params string[] words)
    {
        var process = AttuneProcess.Start(Folder, ["serve", run, "--port", "0", "--threads", "1", .. words]);
        process.WaitFor("http://");
        return new Server(process, new Uri(AddressShown().Match(process.Error).Value));
    }

    [GeneratedRegex("http://[^ ]+:[0-9]+")]
    private static partial Regex AddressShown();
}

/// <summary>A server that runs.</summary>
internal sealed class Server(AttuneProcess process, Uri address) : IDisposable
{
    internal Uri Address => address;

    public void Dispose() => process.Dispose();
}
