namespace Attune.Cli.Pages;

/// <summary>Lines, points or both over two numbered axes.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="XLabel">What runs from left to right.</param>
/// <param name="YLabel">What runs from bottom to top.</param>
/// <param name="Series">What is drawn, each in its own colour, dash and mark.</param>
internal sealed record LinePlot(string Title, string XLabel, string YLabel, IReadOnlyList<Series> Series) : Plot(Title)
{
    private const double Left = 64, Right = 16, LegendLine = 18, Inner = 190;
    private const int MostNumbers = 200;

    /// <summary>What the upward axis spans; null for what the points do.</summary>
    internal (double Low, double High)? YRange { get; init; }

    /// <summary>What the other axis spans; null for what the points do.</summary>
    internal (double Low, double High)? XRange { get; init; }

    /// <summary>A number at which the other axis begins at the latest; null for where the points do.</summary>
    internal double? XFrom { get; init; }

    /// <summary>Whether the axis from left to right counts something.</summary>
    internal bool IsXWhole { get; init; }

    /// <summary>Whether a line shows where both numbers are equal.</summary>
    internal bool HasDiagonal { get; init; }

    /// <summary>Height of the part with the data.</summary>
    internal double InnerHeight { get; init; } = Inner;

    internal override Drawing Draw()
    {
        var legend = LegendRows();
        var top = 34 + legend.Count * LegendLine;
        var drawing = new Drawing(Width, top + InnerHeight + (XLabel.Length > 0 ? 46 : 30));
        Head(drawing, Left);
        foreach (var (line, row) in legend.Index())
            foreach (var (place, x, name) in row)
            {
                var y = 38 + line * LegendLine;
                if (Series[place].HasLine) drawing.Line(x, y - 4, x + 28, y - 4, Palette.Of(place), 1.8, Dash(place));
                if (Series[place].HasMarks) drawing.Mark(x + 14, y - 4, Palette.Of(place), place);
                drawing.Words(x + 34, y, name);
            }
        var points = Series.SelectMany(series => series.Points).ToList();
        var frame = new PlotFrame(Left, top, Width - Left - Right, InnerHeight,
            XRange is { } x2 ? Axis.Between(x2.Low, x2.High) : Axis.Of(points.Select(point => point.X).Append(XFrom ?? double.NaN), IsXWhole, steps: 8),
            YRange is { } y2 ? Axis.Between(y2.Low, y2.High) : Axis.Of(points.SelectMany(point => new[] { point.Y, point.Low, point.High })));
        frame.Draw(drawing, XLabel, YLabel);
        if (HasDiagonal)
        {
            var (low, high) = (Math.Max(frame.Across.Low, frame.Up.Low), Math.Min(frame.Across.High, frame.Up.High));
            drawing.Line(frame.X(low), frame.Y(low), frame.X(high), frame.Y(high), Ink.Muted, dash: 1);
        }
        foreach (var (place, series) in Series.Index()) Draw(drawing, frame, series, place);
        return drawing;
    }

    internal override HtmlTable? Numbers()
    {
        var known = Series.SelectMany(series => series.Points).Where(point => double.IsFinite(point.Y)).Select(point => point.X).Distinct().Order().ToList();
        if (known.Count is 0 or > MostNumbers) return null;
        var hasIntervals = Series.Any(series => series.Points.Any(point => double.IsFinite(point.Low)));
        var table = new HtmlTable($"The numbers of: {Title}", [XLabel.Length > 0 ? XLabel : "x", .. Series.SelectMany(series => hasIntervals
            ? [Name(series), $"{Name(series)}, interval"] : new[] { Name(series) })]);
        var byPlace = Series.Select(series => series.Points.Where(point => double.IsFinite(point.Y)).ToLookup(point => point.X)).ToList();
        foreach (var x in known)
            table.Add([Figures.Number(x), .. byPlace.SelectMany(points =>
            {
                var here = points[x].ToList();
                Markup value = here.Count == 0 ? "" : Figures.Number(here[0].Y);
                return hasIntervals ? [value, here.Count == 0 ? "" : Figures.Interval(here[0].Low, here[0].High)] : new[] { value };
            })]);
        return table;
    }

    private string Name(Series series) => series.Name.Length > 0 ? series.Name : YLabel.Length > 0 ? YLabel : Title;

    private static int Dash(int place) => place / Palette.Series;

    private static void Draw(Drawing drawing, PlotFrame frame, Series series, int place)
    {
        var ink = Palette.Of(place);
        PlotPoint[] points = [.. series.Points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y))];
        foreach (var point in points.Where(point => double.IsFinite(point.Low) && double.IsFinite(point.High)))
        {
            drawing.Line(frame.X(point.X), frame.Y(point.Low), frame.X(point.X), frame.Y(point.High), ink, 1.4);
            foreach (var end in new[] { point.Low, point.High }) drawing.Line(frame.X(point.X) - 4, frame.Y(end), frame.X(point.X) + 4, frame.Y(end), ink, 1.4);
        }
        if (series.HasLine && points.Length > 0) drawing.Curve([.. Thinned(points, point => point.Y).Select(point => (frame.X(point.X), frame.Y(point.Y)))], ink, Dash(place));
        if (series.HasMarks)
            foreach (var point in points) drawing.Mark(frame.X(point.X), frame.Y(point.Y), ink, place, point.Tip, series.MarkRadius);
    }

    /// <summary>The lowest and the highest of each of some hundred parts, where points lie closer than eyes can tell apart.</summary>
    private static IEnumerable<T> Thinned<T>(T[] points, Func<T, double> height)
    {
        const int parts = 400;
        if (points.Length <= 2 * parts) return points;
        return Enumerable.Range(0, parts).SelectMany(part =>
        {
            var here = Enumerable.Range(part * points.Length / parts, (part + 1) * points.Length / parts - part * points.Length / parts).ToList();
            return new[] { here.MinBy(i => height(points[i])), here.MaxBy(i => height(points[i])) }.Distinct().Order().Select(i => points[i]);
        });
    }

    /// <summary>The names of the series, as many on a line as there is room for; none where there is one without a name.</summary>
    private List<List<(int Place, double X, string Name)>> LegendRows()
    {
        var rows = new List<List<(int, double, string)>>();
        if (Series.All(series => series.Name.Length == 0)) return rows;
        var x = Width;
        foreach (var (place, series) in Series.Index())
        {
            var name = Drawing.Fitted(series.Name, Width - Left - Right - 40);
            var wide = 34 + Drawing.WidthOf(name) + 20;
            if (x + wide > Width)
            {
                rows.Add([]);
                x = Left;
            }
            rows[^1].Add((place, x, name));
            x += wide;
        }
        return rows;
    }
}

/// <summary>What belongs together in a chart.</summary>
/// <param name="Name">For the legend; empty where there is nothing to tell apart.</param>
/// <param name="Points">In the order in which a line goes through them.</param>
internal sealed record Series(string Name, IReadOnlyList<PlotPoint> Points)
{
    /// <summary>Whether a line goes through the points.</summary>
    internal bool HasLine { get; init; } = true;

    /// <summary>Whether each point has a mark.</summary>
    internal bool HasMarks { get; init; }

    /// <summary>How large the marks are.</summary>
    internal double MarkRadius { get; init; } = 3;
}

/// <summary>A point of a chart.</summary>
/// <param name="X">From left to right.</param>
/// <param name="Y">From bottom to top; not a number leaves it out.</param>
/// <param name="Low">Lower end of its interval; not a number for none.</param>
/// <param name="High">Upper end.</param>
/// <param name="Tip">Is shown where the pointer rests on its mark.</param>
internal readonly record struct PlotPoint(double X, double Y, double Low = double.NaN, double High = double.NaN, string? Tip = null);
