namespace Attune.Cli.Pages;

/// <summary>Several charts in one picture, one below the other.</summary>
/// <param name="Title">Of the whole.</param>
/// <param name="Plots">The charts.</param>
internal sealed record PlotSheet(string Title, IReadOnlyList<Plot> Plots) : Plot(Title)
{
    private const double Between = 12;

    internal override Drawing Draw()
    {
        Drawing[] parts = [.. Plots.Select(plot => plot.Draw())];
        var sheet = new Drawing(parts.Select(part => part.Width).DefaultIfEmpty(Width).Max(), parts.Sum(part => part.Height + Between));
        var top = 0.0;
        foreach (var part in parts)
        {
            sheet.Place(part, 0, top);
            top += part.Height + Between;
        }
        return sheet;
    }

    internal override HtmlTable? Numbers() => null;
}
