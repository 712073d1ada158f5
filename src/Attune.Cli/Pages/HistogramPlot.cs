namespace Attune.Cli.Pages;

/// <summary>How often numbers of each size are there: bars over a numbered axis, one beside the other where several things are counted.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="XLabel">What the numbers are.</param>
/// <param name="YLabel">What is counted.</param>
/// <param name="Edges">Where bars begin, and where the last one ends: one more than there are bars, ascending.</param>
/// <param name="Counted">Names, empty where there is one, and a height for each bar.</param>
internal sealed record HistogramPlot(string Title, string XLabel, string YLabel, IReadOnlyList<double> Edges, IReadOnlyList<(string Name, IReadOnlyList<double> Heights)> Counted) : Plot(Title)
{
    private const double Left = 64, Right = 16, Inner = 190;

    /// <summary>A line across, and what it says; null for none.</summary>
    internal (double X, string Text)? Limit { get; init; }

    /// <summary>Counts numbers into bars of equal, round width.</summary>
    /// <param name="title">Stands above it.</param>
    /// <param name="xLabel">What the numbers are.</param>
    /// <param name="yLabel">What is counted.</param>
    /// <param name="counted">Names and numbers.</param>
    /// <param name="isWhole">Whether all are whole.</param>
    /// <param name="bars">About how many bars are wanted.</param>
    internal static HistogramPlot Of(string title, string xLabel, string yLabel, IReadOnlyList<(string Name, IReadOnlyList<double> Numbers)> counted, bool isWhole = false, int bars = 30)
    {
        var axis = Axis.Of(counted.SelectMany(part => part.Numbers), isWhole, bars);
        var count = Math.Max(1, (int)Math.Round((axis.High - axis.Low) / axis.Step)) + (isWhole ? 1 : 0);   // a whole number begins a bar
        double[] edges = [.. Enumerable.Range(0, count + 1).Select(i => axis.Low + i * axis.Step)];
        return new HistogramPlot(title, xLabel, yLabel, edges, [.. counted.Select(part =>
        {
            var heights = new double[count];
            foreach (var number in part.Numbers.Where(double.IsFinite)) heights[Math.Clamp((int)Math.Floor((number - axis.Low) / axis.Step + 1e-9), 0, count - 1)]++;
            return (part.Name, (IReadOnlyList<double>)heights);
        })]);
    }

    internal override Drawing Draw()
    {
        var hasLegend = Counted.Any(part => part.Name.Length > 0);
        var top = hasLegend ? 52 : 34;
        var drawing = new Drawing(Width, top + Inner + 46);
        Head(drawing, Left);
        var x = Left;
        foreach (var (place, (name, _)) in hasLegend ? Counted.Index() : [])
        {
            drawing.Box(x, 30, 10, 10, Palette.Of(place));
            var shown = Drawing.Fitted(name, (Width - Left) / Counted.Count - 36);
            drawing.Words(x + 16, 39, shown);
            x += 16 + Drawing.WidthOf(shown) + 20;
        }
        var frame = new PlotFrame(Left, top, Width - Left - Right, Inner, Axis.Between(Edges[0], Edges[^1], steps: 8),
            Axis.Of(Counted.SelectMany(part => part.Heights).Append(0)));
        frame.Draw(drawing, XLabel, YLabel);
        for (var bar = 0; bar + 1 < Edges.Count; bar++)
        {
            var (from, to) = (frame.X(Edges[bar]), frame.X(Edges[bar + 1]));
            var wide = (to - from) / Counted.Count;
            foreach (var (place, (name, heights)) in Counted.Index())
                if (heights[bar] > 0)
                    drawing.Box(from + place * wide + Math.Min(0.5, wide / 10), frame.Y(heights[bar]), Math.Max(0.5, wide - Math.Min(1, wide / 5)), frame.Y(0) - frame.Y(heights[bar]), Palette.Of(place),
                        tip: $"{Figures.Number(Edges[bar])} to {Figures.Number(Edges[bar + 1])}: {Figures.Number(heights[bar])}{(name.Length > 0 ? " " + name : "")}");
        }
        if (Limit is { } limit && limit.X >= Edges[0] && limit.X <= Edges[^1])
        {
            drawing.Line(frame.X(limit.X), top, frame.X(limit.X), top + Inner, Ink.Text, 1.4, dash: 1);
            var isRight = frame.X(limit.X) > Width / 2;
            drawing.Words(frame.X(limit.X) + (isRight ? -6 : 6), top + 12, limit.Text, isRight ? Align.Right : Align.Left);
        }
        return drawing;
    }

    internal override HtmlTable? Numbers()
    {
        if (Edges.Count > 100) return null;
        var table = new HtmlTable($"The numbers of: {Title}", [$"{XLabel}, from", "to", .. Counted.Select(part => part.Name.Length > 0 ? part.Name : YLabel)]);
        for (var bar = 0; bar + 1 < Edges.Count; bar++)
            table.Add([Figures.Number(Edges[bar]), Figures.Number(Edges[bar + 1]), .. Counted.Select(part => (Markup)Figures.Number(part.Heights[bar]))]);
        return table;
    }
}
