namespace Attune.Cli.Pages;

/// <summary>A table of counts as squares, the darker the larger the share of their row: a confusion matrix.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="RowLabel">What the rows are.</param>
/// <param name="ColumnLabel">What the columns are.</param>
/// <param name="Rows">Names of the rows.</param>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Counts">Rows and columns, none below 0.</param>
internal sealed record HeatMapPlot(string Title, string RowLabel, string ColumnLabel, IReadOnlyList<string> Rows, IReadOnlyList<string> Columns, long[,] Counts) : Plot(Title)
{
    private const double Right = 16, Top = 44, Largest = 64, Smallest = 7, LeastForName = 9, LeastForCount = 22;
    private const int MostNumbers = 30;

    internal override Drawing Draw()
    {
        var roomy = Math.Clamp((Width - 240) / Math.Max(1, Columns.Count), Smallest, Largest);
        var size = Math.Min(Drawing.TextSize, roomy);
        var hasNames = roomy >= LeastForName;
        var left = hasNames ? 24 + NameColumn.Width(Rows, size) : 40;
        var cell = Math.Clamp((Width - left - Right) / Math.Max(1, Columns.Count), Smallest, Largest);
        var names = hasNames ? Columns.Select(name => Drawing.Fitted(name, 150, size)).ToList() : [];
        var (wide, high) = (cell * Columns.Count, cell * Rows.Count);
        // Names that have room stand upright; the others are turned.
        var isLevel = names.All(name => Drawing.WidthOf(name, size) < cell - 4);
        var below = !hasNames ? 8 : isLevel ? 20 : 12 + names.Max(name => Drawing.WidthOf(name, size)) * 0.72 + 8;
        var drawing = new Drawing(Math.Max(Width, left + wide + Right), Top + high + below + 20);
        Head(drawing, 8);
        drawing.Words(16, Top + high / 2, RowLabel, Align.Middle, Ink.Muted, turn: 90);
        drawing.Box(left, Top, wide, high, Ink.Grid, 0.25);
        for (var row = 0; row < Rows.Count; row++)
        {
            var y = Top + row * cell;
            if (hasNames) NameColumn.Write(drawing, left, y + cell / 2 + size / 3, Rows[row], size);
            var total = Enumerable.Range(0, Columns.Count).Sum(column => Counts[row, column]);
            for (var column = 0; column < Columns.Count; column++)
            {
                if (Counts[row, column] == 0) continue;
                var share = (double)Counts[row, column] / total;
                drawing.Box(left + column * cell, y, cell, cell, row == column ? Ink.Series1 : Ink.Series2, 0.12 + 0.88 * share,
                    $"{RowLabel} {Rows[row]}, {ColumnLabel} {Columns[column]}: {Figures.Count(Counts[row, column])} ({Figures.Percent(share)})");
                if (cell >= LeastForCount && Drawing.WidthOf(Figures.Count(Counts[row, column]), size) < cell)
                    drawing.Words(left + (column + 0.5) * cell, y + cell / 2 + 4, Figures.Count(Counts[row, column]), Align.Middle, share > 0.7 ? Ink.Surface : Ink.Text, Math.Min(size, cell * 0.5));
            }
        }
        foreach (var (column, name) in names.Index())
        {
            var x = left + (column + 0.5) * cell;
            if (isLevel) drawing.Words(x, Top + high + 16, name, Align.Middle, size: size);
            else drawing.Words(x + size / 3, Top + high + 12, name, Align.Right, size: size, turn: 45);
        }
        drawing.Words(left + wide / 2, Top + high + below + 12, ColumnLabel, Align.Middle, Ink.Muted);
        return drawing;
    }

    internal override HtmlTable? Numbers()
    {
        if (Columns.Count > MostNumbers) return null;
        var table = new HtmlTable($"The numbers of: {Title} (a row for each {RowLabel}, a column for each {ColumnLabel})", ["", .. Columns]);
        for (var row = 0; row < Rows.Count; row++)
            table.Add([Rows[row], .. Enumerable.Range(0, Columns.Count).Select(column => (Markup)Figures.Count(Counts[row, column]))]);
        return table;
    }
}
