using System.Buffers;
using System.Text.Json.Nodes;

namespace Attune.Formats;

/// <summary>Weights spread over several files; an index beside them says which tensor lies in which.</summary>
internal sealed class ShardedWeights : WeightFile
{
    // By the rules of every operating system at once: the folder may have been made on another one.
    private static readonly SearchValues<char> NotInFileNames = SearchValues.Create("/\\:*?\"<>|");

    private readonly Dictionary<string, WeightFile> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<WeightEntry, WeightFile> _shardOf = new(ReferenceEqualityComparer.Instance);
    private readonly List<WeightEntry> _entries = [];

    private ShardedWeights(string path) => Path = path;

    /// <inheritdoc/>
    internal override string Path { get; }

    /// <inheritdoc/>
    internal override IReadOnlyList<WeightEntry> Entries => _entries;

    /// <summary>The texts of the first shard: every shard of one model carries the same.</summary>
    internal override IReadOnlyDictionary<string, string> Metadata =>
        _shards.Values.FirstOrDefault()?.Metadata ?? new Dictionary<string, string>();

    /// <summary>Opens all files that an index names.</summary>
    /// <param name="indexPath">The index; its files lie in the same folder.</param>
    /// <param name="openShard">Opens one of them.</param>
    /// <exception cref="AttuneException">The index or a file is damaged, missing, or lies elsewhere than in the folder.</exception>
    internal static ShardedWeights Open(string indexPath, Func<string, WeightFile> openShard)
    {
        var weights = new ShardedWeights(indexPath);
        try
        {
            weights.OpenShards(openShard);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    internal override void ReadPart(WeightEntry entry, long byteOffset, Span<byte> destination) =>
        _shardOf[entry].ReadPart(entry, byteOffset, destination);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var shard in _shards.Values) shard.Dispose();
    }

    private void OpenShards(Func<string, WeightFile> openShard)
    {
        if (PythonJson.ReadFile(Path) is not JsonObject index || index["weight_map"] is not JsonObject map)
            throw new AttuneException($"{Path} has no weight_map object that names a file for each tensor; download or copy it again.");
        foreach (var (name, value) in map)
        {
            if (value is not JsonValue text || !text.TryGetValue(out string? file) || !IsPlainFileName(file))
                throw new AttuneException($"{Path}: the tensor {Shown.Of(name)} is said to lie in {Shown.Of(value?.ToJsonString() ?? "null")}, " +
                    "which is not the plain name of a file in the same folder; do not use this model.");
            if (!_shards.TryGetValue(file, out var shard))
                _shards.Add(file, shard = openShard(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, file)));
            var entry = shard.Find(name) ?? throw new AttuneException(
                $"{Path}: the tensor {Shown.Of(name)} is not in {file}, where the index says it is; download or copy the folder again.");
            _entries.Add(entry);
            _shardOf.Add(entry, shard);
        }
    }

    private static bool IsPlainFileName(string name) =>
        name is not ("" or "." or "..") && !name.AsSpan().ContainsAny(NotInFileNames) && !name.Any(char.IsControl);
}
