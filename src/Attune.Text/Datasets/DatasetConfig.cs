namespace Attune.Datasets;

/// <summary>A configuration of a data set: the files of its splits, and what its card says of their rows.</summary>
/// <param name="Name">Its name; "default" where it has none.</param>
/// <param name="Folder">The data set's folder.</param>
/// <param name="Splits">The files of each split, in order, by their paths from there.</param>
/// <param name="Info">What the card says of columns and sizes, or null.</param>
/// <param name="Card">How the card has the files read, or null.</param>
/// <param name="HasCard">Whether there is a card.</param>
internal sealed record DatasetConfig(
    string Name, string Folder, IReadOnlyDictionary<string, IReadOnlyList<string>> Splits, CardInfo? Info, CardConfig? Card, bool HasCard)
{
    /// <summary>All files that decide what <see cref="Read"/> gives.</summary>
    internal IReadOnlyList<string> Files =>
        [.. Splits.Values.SelectMany(files => files).Concat(HasCard ? [DatasetCard.FileName] : []).Select(file => Path.Combine(Folder, file))];

    /// <summary>Reads all splits; columns of class labels get the names that the files themselves, or else the card, have for them.</summary>
    /// <exception cref="AttuneException">A file cannot be read, or a label is none of the classes.</exception>
    internal DatasetDict Read(DatasetReadOptions options)
    {
        var reading = options with { Delimiter = Card?.Delimiter ?? options.Delimiter, ColumnNames = Card?.ColumnNames ?? options.ColumnNames };
        return new DatasetDict(Splits.Select(split => KeyValuePair.Create(split.Key, ReadSplit(split.Key, split.Value, reading))));
    }

    private Dataset ReadSplit(string split, IReadOnlyList<string> files, DatasetReadOptions reading)
    {
        var rows = Dataset.Concatenate([.. files.Select(file => DatasetFile.Read(Path.Combine(Folder, file), reading))]);
        if (Info is null) return rows;
        if (Info.Rows.TryGetValue(split, out var expected) && expected != rows.NumRows && reading.BadRowFiles.AreEmpty)
            reading.Warn?.Invoke($"Warning: the split {split} has {rows.NumRows} rows, but {Path.Combine(Folder, DatasetCard.FileName)} says {expected}; files may be missing or changed.");
        foreach (var (column, classes) in Info.Classes)
            if (rows.Features.TryGetValue(column, out var type) && LabelReader.Classes(type) is null) rows = rows.WithClasses(column, classes, split, reading);
        return rows;
    }
}
