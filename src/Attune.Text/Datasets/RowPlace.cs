namespace Attune.Datasets;

/// <summary>Where a row came from: the file, the row's number in it (from 1, without the header) and its first line (0: not a text file).</summary>
/// <remarks>It stays with the row through every selection, so that a message can name the place that the user can mend.</remarks>
internal readonly record struct RowPlace(string? File, int Row, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => (File, Line) switch
    {
        (null, _) => $"row {Row}",
        (_, 0) => $"{File}, row {Row}",
        _ => $"{File}, row {Row} (line {Line})",
    };
}
