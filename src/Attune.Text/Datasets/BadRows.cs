using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Formats;

namespace Attune.Datasets;

/// <summary>Carries out the policy for the bad rows of one file (or split).</summary>
/// <param name="source">The file, or the split's name where there is none.</param>
/// <param name="options">The policy, its limit and who listens.</param>
internal sealed class BadRows(string source, DatasetReadOptions options)
{
    private const int ExamplesShown = 5;
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<(RowPlace Place, string Reason, string? Text)> _rows = [];

    internal int Count => _rows.Count;

    /// <summary>Notes a bad row, or stops there if that is the policy.</summary>
    /// <param name="place">Where the row is.</param>
    /// <param name="reason">What is wrong, as the end of a sentence that begins with the place.</param>
    /// <param name="remedy">What to do about it, as an imperative.</param>
    /// <param name="text">The row as it stands in the file, if it can be had.</param>
    internal void Add(RowPlace place, string reason, string remedy, string? text = null)
    {
        if (options.OnBadRow == BadRowPolicy.Fail)
            throw new AttuneException($"{place}: {reason}; {remedy}, or leave such rows out with --on-bad-row skip.");
        _rows.Add((place, reason, text));
    }

    /// <summary>Checks the limit, writes the quarantine and reports.</summary>
    /// <param name="total">All rows, the bad ones included.</param>
    internal void Finish(int total)
    {
        if (_rows.Count == 0) return;
        var share = string.Create(CultureInfo.InvariantCulture, $"{100.0 * _rows.Count / total:0.##} %");
        var first = _rows[0];
        if (_rows.Count > options.BadRowLimit * total)
        {
            throw new AttuneException(string.Create(CultureInfo.InvariantCulture,
                $"{source}: {_rows.Count} of {total} rows ({share}) cannot be used, more than the limit of {100 * options.BadRowLimit:0.##} %; ") +
                $"mend the file (the first is {first.Place}: {first.Reason}).");
        }
        var where = options.OnBadRow == BadRowPolicy.Quarantine ? $" and written to {Quarantine()}" : "";
        options.Warn?.Invoke($"{source}: {_rows.Count} of {total} rows ({share}) left out{where}.");
        foreach (var (place, reason, text) in _rows.Take(ExamplesShown))
            options.Warn?.Invoke($"  {place}: {reason}{(options.ShowBadRowText && text is not null ? $": {text}" : "")}");
    }

    private string Quarantine()
    {
        var folder = options.QuarantineFolder ?? Directory.GetCurrentDirectory();
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, Path.GetFileName(source) + ".bad-rows.jsonl");
        var lines = new StringBuilder();
        foreach (var (place, reason, text) in _rows)
            lines.Append(JsonSerializer.Serialize(new { file = place.File, row = place.Row, line = place.Line, reason, text }, Readable)).Append('\n');
        AtomicFile.WriteText(path, lines.ToString());
        return path;
    }
}
