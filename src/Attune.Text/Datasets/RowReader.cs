namespace Attune.Datasets;

/// <summary>Reads a data file row by row, in memory that does not grow with the file.</summary>
internal abstract class RowReader(string path)
{
    /// <summary>The file.</summary>
    internal string Path { get; } = path;

    /// <summary>How much of the file has been read, from 0 to 1.</summary>
    internal double Share { get; private protected set; }

    /// <summary>Whether all cells are texts, so that "7" may be a number.</summary>
    internal virtual bool HasCellsOfText => false;

    /// <summary>Reads the file from its beginning.</summary>
    /// <param name="bad">Takes the rows that cannot be read.</param>
    /// <param name="columns">The only columns that are wanted, where leaving out others saves work; null for all.</param>
    /// <exception cref="AttuneException">The file is at fault as a whole, or <paramref name="bad"/> says so.</exception>
    /// <exception cref="IOException">The disk is at fault.</exception>
    internal abstract IEnumerable<SourceRow> Rows(BadRowSink bad, IReadOnlyCollection<string>? columns = null);
}
