using System.Text;

namespace Attune.Cli.Experiments;

/// <summary>A table of plain text: columns as wide as their longest cell, numbers at their right edge.</summary>
internal sealed class TextTable(params string[] headings)
{
    private const string Between = "  ";
    private readonly List<string[]> _lines = [headings];

    internal void Add(params string[] cells) => _lines.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, headings.Length).Select(column => _lines.Max(line => line[column].Length))];
        bool[] areNumbers = [.. Enumerable.Range(0, headings.Length).Select(column => column > 0 && _lines.Skip(1).All(line => line[column] is "" || IsNumber(line[column])))];
        var text = new StringBuilder();
        foreach (var line in _lines)
            text.Append(string.Join(Between, line.Select((cell, column) => areNumbers[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd()).Append('\n');
        return text.ToString().TrimEnd('\n');
    }

    private static bool IsNumber(string cell) => double.TryParse(cell, System.Globalization.CultureInfo.InvariantCulture, out _);
}
