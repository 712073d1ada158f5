using Attune.Hub;

namespace Attune.Tests.Hub;

/// <summary>A hub with a model, and a cache of one's own.</summary>
public abstract class HubFixture : IDisposable
{
    private protected const string Model = "org/model";
    private readonly Datasets.TemporaryFolder _folder = new();

    private protected HubFixture()
    {
        Repository = Server.Add("models/" + Model);
        Commit = Repository.Commit(Files());
    }

    private protected HubServer Server { get; } = new();

    private protected HubRepository Repository { get; }

    private protected string Commit { get; set; }

    private protected InstantTime Time { get; } = new();

    private protected List<string> Told { get; } = [];

    private protected List<TransferProgress> Progress { get; } = [];

    private protected string Cache => Path.Combine(_folder.Path, "hub");

    private protected string Repo => Path.Combine(Cache, "models--org--model");

    private protected string Snapshot => Path.Combine(Repo, "snapshots", Commit);

    private protected HubSettings Settings => new()
    {
        Endpoint = Server.Endpoint,
        Cache = Cache,
        TokenFile = Path.Combine(_folder.Path, "token"),
        MetadataTimeout = TimeSpan.FromSeconds(30),
        DownloadTimeout = TimeSpan.FromSeconds(30),
    };

    private protected static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private protected static (string, byte[])[] Files(int weights = 300_000, int seed = 1) =>
    [
        ("config.json", "{\"model_type\": \"bert\"}"u8.ToArray()), ("vocab.txt", "[PAD]\n[UNK]\n"u8.ToArray()), ("tokenizer.json", Bytes(5_000, seed + 100)),
        ("model.safetensors", Bytes(weights, seed)), ("pytorch_model.bin", Bytes(1000, 2)), ("tf_model.h5", Bytes(1000, 3)), ("flax_model.msgpack", Bytes(1000, 4)),
        ("onnx/model.onnx", Bytes(1000, 5)), ("README.md", "# A model\n"u8.ToArray()), (".gitattributes", "*.bin filter=lfs\n"u8.ToArray()),
    ];

    private protected static readonly string[] Needed = ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"];

    private protected ResolvedName Download(
        HubSettings? settings = null, string? revision = null, TimeProvider? time = null, bool mayLink = true, CancellationTokenSource? stop = null,
        string name = Model, RepoKind kind = RepoKind.Model, Action<TransferProgress>? report = null)
    {
        using var download = new HubDownload(settings ?? Settings, time ?? Time, Told.Add, report ?? Progress.Add) { MayLink = mayLink };
        return download.GetAsync(name, kind, revision, stop?.Token ?? TestContext.Current.CancellationToken).GetAwaiter().GetResult();
    }

    private protected string Fails(HubSettings? settings = null, string? revision = null, string name = Model) =>
        Assert.Throws<AttuneException>(() => Download(settings, revision, name: name)).Message;

    /// <summary>The snapshot has these files with their right content, and nothing half done lies about.</summary>
    private protected void AssertWhole(params string[] files)
    {
        Assert.Equal(files, Directory.EnumerateFiles(Snapshot, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Snapshot, file)).Order(StringComparer.Ordinal));
        foreach (var file in files) Assert.True(Repository.Files()[file].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Snapshot, file))), file);
        Assert.DoesNotContain(Directory.EnumerateFiles(Cache, "*", SearchOption.AllDirectories),
            file => file.EndsWith(".incomplete", StringComparison.Ordinal) || file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        Server.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
