using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Attune.Batching;
using Attune.Datasets;
using Attune.Formats;

namespace Attune.Cli;

/// <summary>What the data files of a command were made into, kept between runs: what reading told of them, and their rows as tokens.</summary>
/// <remarks>
/// Found by the content of all files (SHA-256), by their names, by every argument that reading depends on and by the build of this program,
/// so that a hit is what reading would give. Nothing is kept of files with rows that cannot be used: those are told of in every run.
/// </remarks>
internal sealed class DataCache
{
    /// <summary>Bytes of all files. What is smaller (5,000 short rows) is read and tokenized in some 20 ms, once the program runs.</summary>
    internal const long SmallestWorthIt = 1 << 18;

    private readonly CacheFolder _folder;
    private readonly DatasetReadOptions _reading;
    private readonly bool _overwrite;
    private readonly IReadOnlyList<string> _files;
    private readonly string _stamps;
    private readonly string _key;

    private DataCache(CacheFolder folder, DataArguments data, IReadOnlyList<string> files, DatasetReadOptions reading, IReadOnlyList<string?> circumstances)
    {
        (_folder, _reading, _files, _overwrite, _stamps) = (folder, reading, files, data.OverwriteCache, Stamps(files));
        _key = Key(
        [
            .. new[] { typeof(DataCache), typeof(EncodedTexts), typeof(Dataset), typeof(Parquet.ParquetDataset) }.Select(type => type.Module.ModuleVersionId.ToString()),
            data.TrainFile, data.ValidationFile, data.TestFile, data.Dataset, data.DatasetConfig, data.Task?.ToString(), data.OnBadRow.ToString(),
            data.LabelColumnName, data.TextColumnDelimiter, data.TrainSplitName, data.ValidationSplitName, data.TestSplitName, data.TaskName,
            .. List(data.RemoveSplits), .. List(data.RemoveColumns), .. List(data.TextColumnNames), .. List(circumstances),
            .. files.Select(Path.GetFullPath), .. files.Select(file => Convert.ToHexStringLower(FileSums.HashOf(file))),
        ]);
    }

    /// <summary>The cache for these files.</summary>
    /// <param name="folder">Where it is; null where there is no place for it.</param>
    /// <param name="data">How the files are read.</param>
    /// <param name="files">All of them; none for embedded data.</param>
    /// <param name="reading">Keeps account of bad rows.</param>
    /// <param name="circumstances">What else the result depends on.</param>
    /// <returns>Null where it is turned off, where the files are too small, or where one cannot be read, which is said when it is read.</returns>
    internal static DataCache? Of(
        CacheFolder? folder, DataArguments data, IReadOnlyList<string> files, DatasetReadOptions reading, IReadOnlyList<string?> circumstances)
    {
        if (folder is null || !data.TokenCache) return null;
        try
        {
            return files.Sum(file => new FileInfo(file).Length) < SmallestWorthIt ? null : new DataCache(folder, data, files, reading, circumstances);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What reading told of the files before; null where that is not known.</summary>
    /// <param name="what">What was done with the splits since.</param>
    internal DataFacts? Facts(params string?[] what)
    {
        using var file = _overwrite ? null : _folder.Open(Name("facts", what));
        return file is null ? null : DataFacts.FromBytes(file.Slice(CacheFolder.HeaderBytes, checked((int)(file.Length - CacheFolder.HeaderBytes))).ToArray());
    }

    /// <summary>Keeps what reading told of the files.</summary>
    internal void Keep(DataFacts facts, params string?[] what)
    {
        if (IsSafe()) _folder.Write(Name("facts", what), write => write(facts.ToBytes()));
    }

    /// <summary>The tokens of a split, where they lie in the cache; null where they are not there.</summary>
    /// <param name="what">Which rows, by which tokenizer.</param>
    internal EncodedTexts? Rows(params string?[] what) =>
        !_overwrite && _folder.Open(Name("rows", what)) is { } file ? TokenFile.Read(file, CacheFolder.HeaderBytes) : null;

    /// <summary>Keeps the tokens of a split.</summary>
    internal void Keep(EncodedTexts rows, params string?[] what)
    {
        if (IsSafe()) _folder.Write(Name("rows", what), write => TokenFile.Write(
            rows.Dataset.Texts, rows.Dataset.TextLabels, ((PackedRows)rows.Dataset.Rows).Blocks, () => (rows.RowsCut, rows.Dataset.TextStarts), write));
    }

    /// <summary>Keeps the tokens of a split as they are made, and shows them where they lie then; null where that cannot be.</summary>
    internal EncodedTexts? Keep(int texts, Labels? labels, EncodedBlocks blocks, params string?[] what)
    {
        var name = Name("rows", what);
        if (!IsSafe() || !_folder.Write(name, write => TokenFile.Write(texts, labels, blocks.All(inOne: false), () => (blocks.Cut, blocks.TextStarts), write))) return null;
        return _folder.Open(name) is { } file ? TokenFile.Read(file, CacheFolder.HeaderBytes) : null;
    }

    /// <summary>Whether what was read is what was hashed, and all of it could be used.</summary>
    private bool IsSafe() => _reading.BadRowFiles.AreEmpty && _stamps == Stamps(_files);

    private byte[] Name(string kind, string?[] what) => Convert.FromHexString(Key([_key, kind, .. what]));

    /// <summary>The texts as one, so that no two lists give the same.</summary>
    private static string Key(IEnumerable<string?> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts) text.Append(CultureInfo.InvariantCulture, $"{part?.Length ?? -1}:{part}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static IEnumerable<string?> List(IReadOnlyList<string?>? texts) => [texts?.Count.ToString(CultureInfo.InvariantCulture), .. texts ?? []];

    private static string Stamps(IReadOnlyList<string> files) => string.Join(' ', files.Select(file =>
        new FileInfo(file) is { Exists: true } info ? $"{info.Length}@{info.LastWriteTimeUtc.Ticks}" : "gone"));
}
