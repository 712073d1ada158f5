using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Formats;

namespace Attune.Datasets;

/// <summary>Carries out the policy for the bad rows of one file (or split): those that cannot be read and those without a usable label.</summary>
/// <param name="source">The file, or the split's name where there is none.</param>
/// <param name="options">The policy, its limit and who listens.</param>
internal sealed class BadRows(string source, DatasetReadOptions options)
{
    private const int ExamplesShown = 5;
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly SortedDictionary<int, (RowPlace Place, string Reason, string? Text)> _rows = [];
    private readonly List<int> _fresh = [];
    private int _total;

    /// <summary>Whether there was no bad row so far.</summary>
    internal bool IsEmpty => _rows.Count == 0;

    /// <summary>Notes a bad row, or stops there if that is the policy.</summary>
    /// <param name="place">Where the row is.</param>
    /// <param name="reason">What is wrong, as the end of a sentence that begins with the place.</param>
    /// <param name="remedy">What to do about it, as an imperative.</param>
    /// <param name="text">The row as it stands in the file, if it can be had.</param>
    internal void Add(RowPlace place, string reason, string remedy, string? text = null)
    {
        if (options.OnBadRow == BadRowPolicy.Fail) throw Refused(place, reason, remedy);
        // The text of a row is kept only where it is written or shown: a file may be wrong in every row.
        var isKept = options.OnBadRow == BadRowPolicy.Quarantine || (options.ShowBadRowText && _rows.Count < ExamplesShown);
        if (_rows.TryAdd(place.Row, (place, reason, isKept ? text : null))) _fresh.Add(place.Row);
    }

    /// <summary>Checks the limit, writes the quarantine and reports what was added since the last call.</summary>
    /// <param name="known">Rows that were looked at, the bad ones included. The largest number ever given counts: parts of a file come one by one.</param>
    internal void Finish(int known)
    {
        _total = Math.Max(_total, known);
        if (_fresh.Count == 0) return;
        var first = _rows.Values.First();
        if (_rows.Count > (options.MaxBadRows ?? options.BadRowLimit * _total))
        {
            Show(_rows.Keys);
            throw TooMany(source, options, _rows.Count, _total, $"{first.Place}: {first.Reason}");
        }
        var where = options.OnBadRow == BadRowPolicy.Quarantine ? $" and written to {Quarantine()}" : "";
        options.Warn?.Invoke($"{source}: {_fresh.Count} of {_total} rows ({Percent.Of(_fresh.Count, _total)}) left out{where}.");
        Show(_fresh);
        _fresh.Clear();
    }

    /// <summary>The sentence for a row that must not be left out.</summary>
    internal static AttuneException Refused(RowPlace place, string reason, string remedy) =>
        new($"{place}: {reason}; {remedy}, or leave such rows out with --on-bad-row skip.");

    /// <summary>The sentence for a file with more bad rows than are allowed.</summary>
    internal static AttuneException TooMany(string source, DatasetReadOptions options, long count, long total, string first) => new(
        $"{source}: {count} of {total} rows ({Percent.Of(count, total)}) cannot be used, more than the limit of {Limit(options)}; " +
        $"mend the file (the first is {first}), or raise the limit by --max-bad-rows.");

    /// <summary>A bad row as a line of the file of those to mend.</summary>
    internal static string Line(RowPlace place, string reason, string? text) =>
        JsonSerializer.Serialize(new { file = place.File, row = place.Row, line = place.Line, reason, text }, Readable) + "\n";

    private static string Limit(DatasetReadOptions options) => options.MaxBadRows is { } rows ? rows == 1 ? "1 row" : $"{rows} rows"
        : Percent.Of(options.BadRowLimit, 1);

    private void Show(IEnumerable<int> rows)
    {
        foreach (var (place, reason, text) in rows.Take(ExamplesShown).Select(row => _rows[row]))
            options.Warn?.Invoke($"  {place}: {reason}{(options.ShowBadRowText && text is not null ? $": {text}" : "")}");
    }

    private string Quarantine()
    {
        var folder = options.QuarantineFolder ?? Directory.GetCurrentDirectory();
        AtomicFile.CreateFolder(folder);
        var path = Path.Combine(folder, options.BadRowFiles.NameFor(source) + ".bad-rows.jsonl");
        var lines = new StringBuilder();
        foreach (var (place, reason, text) in _rows.Values)
            lines.Append(Line(place, reason, text));
        AtomicFile.WriteText(path, lines.ToString());
        return path;
    }
}
