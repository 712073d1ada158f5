namespace Attune.Cli.Pages;

/// <summary>The part of a chart in which the data lies, between two axes.</summary>
/// <param name="Left">Its left edge.</param>
/// <param name="Top">Its upper edge.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Across">The numbers from left to right.</param>
/// <param name="Up">The numbers from bottom to top.</param>
internal sealed record PlotFrame(double Left, double Top, double Width, double Height, Axis Across, Axis Up)
{
    internal double X(double value) => Left + Across.Place(value) * Width;

    internal double Y(double value) => Top + Height - Up.Place(value) * Height;

    private double Bottom => Top + Height;

    /// <summary>Draws lines at the round numbers, and what the axes are of.</summary>
    internal void Draw(Drawing drawing, string xLabel, string yLabel)
    {
        Rows(drawing);
        if (yLabel.Length > 0) drawing.Words(14, Top + Height / 2, yLabel, Align.Middle, Ink.Muted, turn: 90);
        Columns(drawing, xLabel, hasLines: false);
    }

    /// <summary>Draws the upward axis alone.</summary>
    internal void Rows(Drawing drawing)
    {
        foreach (var (value, text) in Up.Ticks)
        {
            drawing.Line(Left, Y(value), Left + Width, Y(value), Ink.Grid);
            drawing.Words(Left - 8, Y(value) + 4, text, Align.Right, Ink.Muted);
        }
    }

    /// <summary>Draws the axis from left to right alone.</summary>
    internal void Columns(Drawing drawing, string label, bool hasLines)
    {
        drawing.Line(Left, Bottom, Left + Width, Bottom, Ink.Muted);
        foreach (var (value, text) in Across.Ticks)
        {
            if (hasLines) drawing.Line(X(value), Top, X(value), Bottom, Ink.Grid);
            drawing.Line(X(value), Bottom, X(value), Bottom + 4, Ink.Muted);
            drawing.Words(X(value), Bottom + 18, text, Align.Middle, Ink.Muted);
        }
        if (label.Length > 0) drawing.Words(Left + Width / 2, Bottom + 36, label, Align.Middle, Ink.Muted);
    }
}
