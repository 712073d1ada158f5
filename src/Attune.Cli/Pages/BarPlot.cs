namespace Attune.Cli.Pages;

/// <summary>A bar for each of some names, one below the other, with its number at the end.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="What">What the numbers are.</param>
/// <param name="Bars">Names and numbers, none below 0.</param>
internal sealed record BarPlot(string Title, string What, IReadOnlyList<(string Name, double Value)> Bars) : Plot(Title)
{
    private const double Top = 34, Row = 20, LeastRight = 64;

    /// <summary>How a number is written.</summary>
    internal Func<double, string> Said { get; init; } = Figures.Number;

    internal override Drawing Draw()
    {
        var left = NameColumn.Width(Bars.Select(bar => bar.Name));
        var right = Math.Max(LeastRight, Bars.Select(bar => Drawing.WidthOf(Said(bar.Value)) + 12).DefaultIfEmpty(0).Max());
        var drawing = new Drawing(Width, Top + Bars.Count * Row + 10);
        Head(drawing, 8);
        var axis = new Axis(0, Math.Max(Bars.Select(bar => bar.Value).DefaultIfEmpty(1).Max(), 1e-12), 1);
        drawing.Line(left, Top, left, Top + Bars.Count * Row, Ink.Muted);
        foreach (var (place, (name, value)) in Bars.Index())
        {
            var y = Top + place * Row;
            NameColumn.Write(drawing, left, y + 14, name);
            drawing.Box(left, y + 3, axis.Place(value) * (Width - left - right), Row - 6, Ink.Series1, tip: $"{name}: {Said(value)}");
            drawing.Words(left + axis.Place(value) * (Width - left - right) + 6, y + 14, Said(value), ink: Ink.Muted);
        }
        return drawing;
    }

    internal override HtmlTable? Numbers()
    {
        var table = new HtmlTable($"The numbers of: {Title}", "", What);
        foreach (var (name, value) in Bars) table.Add(name, Said(value));
        return table;
    }
}

/// <summary>The names that stand to the left of rows.</summary>
internal static class NameColumn
{
    private const double Widest = 220, Edge = 8;

    /// <summary>Where the names end, for the widest of them.</summary>
    internal static double Width(IEnumerable<string> names, double size = Drawing.TextSize) =>
        Edge + Math.Min(Widest, names.Select(name => Drawing.WidthOf(name, size)).DefaultIfEmpty(0).Max()) + Edge;

    /// <summary>Writes one of them, shortened where it is too wide.</summary>
    internal static void Write(Drawing drawing, double left, double y, string name, double size = Drawing.TextSize) =>
        drawing.Words(left - Edge, y, Drawing.Fitted(name, Widest, size), Align.Right, size: size);
}
