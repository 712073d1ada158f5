namespace Attune.Cli.Pages;

/// <summary>A number with its interval for each of some names, one below the other.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="What">What the numbers are.</param>
/// <param name="Rows">Names, numbers and the ends of their intervals.</param>
internal sealed record IntervalPlot(string Title, string What, IReadOnlyList<(string Name, double Value, double Low, double High)> Rows) : Plot(Title)
{
    private const double Top = 34, Row = 20, Right = 20;

    /// <summary>What the axis spans; null for what the intervals do.</summary>
    internal (double Low, double High)? Range { get; init; }

    internal override Drawing Draw()
    {
        var left = NameColumn.Width(Rows.Select(row => row.Name));
        var drawing = new Drawing(Width, Top + Rows.Count * Row + 46);
        Head(drawing, 8);
        var axis = Range is { } range ? Axis.Between(range.Low, range.High, steps: 10) : Axis.Of(Rows.SelectMany(row => new[] { row.Low, row.Value, row.High }), steps: 8);
        var frame = new PlotFrame(left, Top, Width - left - Right, Rows.Count * Row, axis, Axis.Between(0, 1));
        frame.Columns(drawing, What, hasLines: true);
        foreach (var (place, row) in Rows.Index())
        {
            var y = Top + (place + 0.5) * Row;
            NameColumn.Write(drawing, left, y + 4, row.Name);
            if (double.IsFinite(row.Low) && double.IsFinite(row.High))
            {
                drawing.Line(frame.X(row.Low), y, frame.X(row.High), y, Ink.Series1, 1.8);
                foreach (var end in new[] { row.Low, row.High }) drawing.Line(frame.X(end), y - 4, frame.X(end), y + 4, Ink.Series1, 1.8);
            }
            if (double.IsFinite(row.Value)) drawing.Mark(frame.X(row.Value), y, Ink.Series1, tip: $"{row.Name}: {Figures.Score(row.Value)} ({Figures.Interval(row.Low, row.High)})", radius: 4);
        }
        return drawing;
    }

    internal override HtmlTable? Numbers()
    {
        var table = new HtmlTable($"The numbers of: {Title}", "", What, "95% interval");
        foreach (var row in Rows) table.Add(row.Name, Figures.Score(row.Value), Figures.Interval(row.Low, row.High));
        return table;
    }
}
