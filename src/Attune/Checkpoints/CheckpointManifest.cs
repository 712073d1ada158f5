using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Attune.Formats;

namespace Attune.Checkpoints;

/// <summary>
/// What makes a folder a checkpoint: the size and SHA-256 of each of its files, written after them. A folder whose files do not agree with it
/// is none.
/// </summary>
internal sealed record CheckpointManifest
{
    private static readonly JsonSerializerOptions SnakeCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
    };

    private const int KnownVersion = 1, SizeOfPiece = 1 << 20;

    /// <summary>Version of this layout.</summary>
    public int FormatVersion { get; init; } = KnownVersion;

    /// <summary>Updates made.</summary>
    public long GlobalStep { get; init; }

    /// <summary>Where it was written.</summary>
    public RunEnvironment? Environment { get; init; }

    /// <summary>The files by their names.</summary>
    public OrderedDictionary<string, FileFacts> Files { get; init; } = [];

    /// <summary>SHA-256 of the manifest itself, written with this empty.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Size and SHA-256 of a file.</summary>
    /// <param name="Size">Bytes.</param>
    /// <param name="Sha256">Lower-case hexadecimal digits.</param>
    internal sealed record FileFacts(long Size, string Sha256);

    /// <summary>Describes the files that a folder has now, and writes itself beside them.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="globalStep">Updates made.</param>
    /// <param name="environment">Where it is written.</param>
    /// <param name="sums">Of the files as they were written; others are read.</param>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal static void Write(string folder, long globalStep, RunEnvironment? environment, FileSums sums)
    {
        var names = Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ToArray();
        var facts = new FileFacts[names.Length];
        for (var i = 0; i < names.Length; i++) facts[i] = sums.Find(Path.Combine(folder, names[i])) is var (size, sha256) ? new FileFacts(size, sha256) : Facts(Path.Combine(folder, names[i]));
        var files = new OrderedDictionary<string, FileFacts>(names.Zip(facts, KeyValuePair.Create));
        var manifest = new CheckpointManifest { GlobalStep = globalStep, Environment = environment, Files = files };
        AtomicFile.WriteText(Path.Combine(folder, CheckpointFiles.Manifest), manifest.Sealed().Text());
    }

    /// <summary>Where the checkpoint of a folder was written; null where that is not known.</summary>
    internal static RunEnvironment? EnvironmentOf(string folder)
    {
        var path = Path.Combine(folder, CheckpointFiles.Manifest);
        return File.Exists(path) && TryRead(path, out var manifest, out _) ? manifest.Environment : null;
    }

    /// <summary>Reads every file of a checkpoint and compares it with the manifest.</summary>
    /// <returns>What is wrong, as a clause that begins with the file; null where nothing is.</returns>
    internal static string? Problem(string folder)
    {
        var path = Path.Combine(folder, CheckpointFiles.Manifest);
        if (!File.Exists(path)) return $"{path} is missing";
        if (!TryRead(path, out var manifest, out var problem)) return problem;
        foreach (var (name, expected) in manifest.Files)
        {
            var file = new FileInfo(Path.Combine(folder, name));
            if (!file.Exists) return $"{file} is missing";
            if (file.Length != expected.Size) return $"{file} has {file.Length} bytes in place of {expected.Size}";
        }
        var problems = new string?[manifest.Files.Count];
        Parallel.For(0, problems.Length, i =>
        {
            var (name, expected) = manifest.Files.GetAt(i);
            problems[i] = Difference(Path.Combine(folder, name), expected);
        });
        return problems.FirstOrDefault(found => found is not null);
    }

    private static string? Difference(string file, FileFacts expected)
    {
        try
        {
            return Facts(file) == expected ? null : $"{file} is damaged: its content is not what was written";
        }
        catch (AttuneException e)
        {
            return e.Message.TrimEnd('.');
        }
    }

    private static bool TryRead(string path, [NotNullWhen(true)] out CheckpointManifest? manifest, [NotNullWhen(false)] out string? problem)
    {
        (manifest, problem) = (null, $"{path} is damaged");
        try
        {
            var text = File.ReadAllText(path);
            manifest = JsonSerializer.Deserialize<CheckpointManifest>(text, SnakeCase);
            if (manifest is { FormatVersion: > KnownVersion }) problem = $"{path} was written by a later version of Attune";
            // Compared as text, so that a change of any byte shows, be it in a name that nobody reads.
            else if (manifest is { Files: not null } && !manifest.Files.ContainsValue(null!) && manifest.Sealed().Text() == text) return true;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            // Not a manifest, which is all that is to be said.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} cannot be read: {e.Message.TrimEnd('.')}";
        }
        return false;
    }

    private static FileFacts Facts(string path)
    {
        using var file = MappedFile.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var at = 0L; at < file.Length; at += SizeOfPiece) hash.AppendData(file.Slice(at, (int)Math.Min(SizeOfPiece, file.Length - at)));
        return new FileFacts(file.Length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private CheckpointManifest Sealed()
    {
        var open = this with { Sha256 = "" };
        return open with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(open.Text()))) };
    }

    private string Text() => JsonSerializer.Serialize(this, SnakeCase) + "\n";
}
