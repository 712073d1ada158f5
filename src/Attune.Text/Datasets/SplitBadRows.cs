using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Attune.Datasets;

/// <summary>The bad rows of a split, each counted with those of the file that it came from.</summary>
internal sealed class SplitBadRows(Dataset data, string split, DatasetReadOptions options)
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly string _split = $"The split \"{split}\"";
    private readonly Dictionary<string, BadRows> _files = new(StringComparer.Ordinal);

    /// <inheritdoc cref="BadRows.Add"/>
    internal void Add(int row, string reason, string remedy)
    {
        var place = data.PlaceOf(row);
        var file = place.File ?? _split;
        if (!_files.TryGetValue(file, out var bad))
            _files.Add(file, bad = place.File is null ? new BadRows(file, options) : options.BadRowFiles.Of(file, options));
        bad.Add(place with { File = file }, reason, remedy, options.OnBadRow == BadRowPolicy.Fail ? null : TextOf(row));
    }

    /// <inheritdoc cref="BadRows.Finish"/>
    internal void Finish()
    {
        foreach (var (file, bad) in _files)
            bad.Finish(Enumerable.Range(0, data.NumRows).Count(row => (data.PlaceOf(row).File ?? _split) == file));
    }

    // The line of the file is gone by now; its cells are what the user can find and mend.
    private string TextOf(int row) => TextOf(data.ColumnNames, [.. data.ColumnNames.Select(name => data.Get(name)[row])]);

    /// <summary>The cells of a row as one text.</summary>
    internal static string TextOf(IReadOnlyList<string> columns, IReadOnlyList<object?> cells) =>
        JsonSerializer.Serialize(columns.Zip(cells).DistinctBy(cell => cell.First).ToDictionary(cell => cell.First, cell => cell.Second), Readable);
}
