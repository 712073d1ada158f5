using System.Text;
using Attune.Formats;

namespace Attune.Datasets;

/// <summary>Carries out the policy for the bad rows of a file that is read row by row: they are counted, and written out as they come, but not kept.</summary>
/// <param name="source">The file.</param>
/// <param name="options">The policy, its limit and who listens.</param>
internal sealed class StreamedBadRows(string source, DatasetReadOptions options) : IDisposable
{
    private const int ExamplesShown = 5;
    private FileStream? _quarantine;
    private string? _first;
    private long _count;

    /// <summary>Rows that could not be used so far.</summary>
    internal long Count => _count;

    /// <inheritdoc cref="BadRowSink"/>
    /// <exception cref="AttuneException">The policy is to stop at it, or it is one more than allowed.</exception>
    internal void Add(RowPlace place, string reason, string remedy, string? text = null)
    {
        if (options.OnBadRow == BadRowPolicy.Fail) throw BadRows.Refused(place, reason, remedy);
        _first ??= $"{place}: {reason}";
        if (_count++ < ExamplesShown) options.Warn?.Invoke($"  {place}: {reason}, left out");
        if (options.OnBadRow == BadRowPolicy.Quarantine) Write(BadRows.Line(place, reason, text));
        if (_count > options.MaxBadRows) throw BadRows.TooMany(source, options, _count, place.Row, _first);
    }

    /// <summary>Checks the limit where it is a share, reports, and puts the file of rows to mend in its place.</summary>
    /// <param name="rows">All rows of the file, the bad ones included.</param>
    /// <exception cref="AttuneException">They are more than allowed.</exception>
    internal void Finish(long rows)
    {
        if (_count == 0) return;
        if (options.MaxBadRows is null && _count > options.BadRowLimit * rows) throw BadRows.TooMany(source, options, _count, rows, _first!);
        var where = "";
        if (_quarantine is { } file)
        {
            AtomicFile.Flush(file);
            _quarantine = null;
            file.Dispose();
            File.Move(file.Name, WrittenPlace.Of(Target), overwrite: true);
            where = $" and written to {Target}";
        }
        options.Warn?.Invoke($"{source}: {_count} of {rows} rows ({Percent.Of(_count, rows)}) left out{where}.");
    }

    /// <summary>Drops the file of rows to mend, where the end was not reached: whoever reads the file again writes it anew.</summary>
    public void Dispose()
    {
        if (_quarantine is not { } file) return;
        file.Dispose();
        File.Delete(file.Name);
    }

    private string Target => Path.Combine(options.QuarantineFolder ?? Directory.GetCurrentDirectory(), Path.GetFileName(source) + ".bad-rows.jsonl");

    private void Write(string line)
    {
        try
        {
            if (_quarantine is null)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
                _quarantine = new FileStream(Target + ".partial", FileMode.Create, FileAccess.Write, FileShare.Read);
            }
            _quarantine.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(Target, e);
        }
    }
}
