using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Attune.Datasets;

/// <summary>Data sets by the name of their split, in the order train, validation, test, others. Immutable.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "The name that Hugging Face's datasets has for it.")]
public sealed class DatasetDict : IReadOnlyDictionary<string, Dataset>
{
    /// <summary>The name of the split to train on.</summary>
    public const string Train = "train";

    /// <summary>The name of the split to evaluate on during training.</summary>
    public const string Validation = "validation";

    /// <summary>The name of the split for the last word.</summary>
    public const string Test = "test";

    private readonly List<KeyValuePair<string, Dataset>> _splits;

    /// <summary>Creates the dictionary.</summary>
    public DatasetDict(IEnumerable<KeyValuePair<string, Dataset>> splits)
    {
        _splits = [.. splits.OrderBy(split => Rank(split.Key))];
        static int Rank(string name) => Array.FindIndex(SplitFiles.Names, name.StartsWith) is >= 0 and var index ? index : int.MaxValue;
    }

    /// <summary>The split of a name.</summary>
    /// <exception cref="AttuneException">There is no such split; the message lists those there are.</exception>
    public Dataset this[string key] => TryGetValue(key, out var split) ? split : throw new AttuneException(
        $"There is no split \"{key}\"; the splits are {string.Join(", ", Keys)}: use one of these names.");

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _splits.Select(split => split.Key);

    /// <inheritdoc/>
    public IEnumerable<Dataset> Values => _splits.Select(split => split.Value);

    /// <inheritdoc/>
    public int Count => _splits.Count;

    /// <summary>Reads a folder (or its subfolder "data") whose files are named after the splits.</summary>
    /// <param name="folder">
    /// Holds train, validation (also valid, val, dev, eval) and test, each as one file of any readable kind, or as shards named as on the
    /// hub (train-00000-of-00002.parquet). Splits such as validation_matched keep their ending. Other files are ignored. Where there is no such
    /// file, folders named after the splits are taken, with all their files.
    /// </param>
    /// <param name="options">How to read the files.</param>
    /// <exception cref="AttuneException">The folder is absent, has no such file or two for one split, lacks a shard, or a file cannot be read.</exception>
    public static DatasetDict Load(string folder, DatasetReadOptions? options = null)
    {
        options ??= new DatasetReadOptions();
        return new DatasetDict(SplitFiles.Find(folder).Select(split => KeyValuePair.Create(
            split.Key, Dataset.Concatenate([.. split.Value.Select(file => DatasetFile.Read(file, options))]))));
    }

    /// <summary>Reads a file per split; the files may be of different kinds.</summary>
    /// <exception cref="AttuneException">No file is given, or one cannot be read.</exception>
    public static DatasetDict FromFiles(string? train = null, string? validation = null, string? test = null, DatasetReadOptions? options = null)
    {
        options ??= new DatasetReadOptions();
        var given = new[] { (Train, train), (Validation, validation), (Test, test) }.Where(file => file.Item2 is not null).ToList();
        if (given.Count == 0) throw new AttuneException("No data file is given; name at least one of the train, validation and test files.");
        return new DatasetDict(given.Select(file => KeyValuePair.Create(file.Item1, DatasetFile.Read(file.Item2!, options))));
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => TryGetValue(key, out _);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Dataset value)
    {
        value = _splits.Find(split => split.Key == key).Value;
        return value is not null;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Dataset>> GetEnumerator() => _splits.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Applies an operation to every split.</summary>
    public DatasetDict ForEachSplit(Func<Dataset, Dataset> operation) =>
        new(_splits.Select(split => KeyValuePair.Create(split.Key, operation(split.Value))));

    /// <inheritdoc cref="Dataset.Map"/>
    public DatasetDict Map(Func<IReadOnlyDictionary<string, object?>, IReadOnlyDictionary<string, object?>> function, params string[] removeColumns) =>
        ForEachSplit(split => split.Map(function, removeColumns));

    /// <inheritdoc cref="Dataset.MapBatched"/>
    public DatasetDict MapBatched(
        Func<IReadOnlyDictionary<string, IReadOnlyList<object?>>, IReadOnlyDictionary<string, IReadOnlyList<object?>>> function,
        int batchSize = 1000, params string[] removeColumns) => ForEachSplit(split => split.MapBatched(function, batchSize, removeColumns));

    /// <inheritdoc cref="Dataset.Filter"/>
    public DatasetDict Filter(Func<IReadOnlyDictionary<string, object?>, bool> condition) => ForEachSplit(split => split.Filter(condition));

    /// <inheritdoc cref="Dataset.RenameColumn"/>
    public DatasetDict RenameColumn(string from, string to) => ForEachSplit(split => split.RenameColumn(from, to));

    /// <inheritdoc cref="Dataset.RemoveColumns"/>
    public DatasetDict RemoveColumns(params string[] names) => ForEachSplit(split => split.RemoveColumns(names));

    /// <inheritdoc cref="Dataset.WithFormat"/>
    public DatasetDict WithFormat(params string[] columns) => ForEachSplit(split => split.WithFormat(columns));

    /// <inheritdoc cref="Dataset.CastColumn"/>
    public DatasetDict CastColumn(string name, FeatureType type) => ForEachSplit(split => split.CastColumn(name, type));

    /// <summary>One line per split.</summary>
    public override string ToString() => string.Join(Environment.NewLine, _splits.Select(split => $"{split.Key}: {split.Value}"));
}
