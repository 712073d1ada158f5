using Attune.Formats;

namespace Attune.Cli.Pages;

/// <summary>A picture as lines, boxes, marks and words, which <see cref="SvgWriter"/> and <see cref="PngWriter"/> put into files.</summary>
/// <param name="width">In pixels.</param>
/// <param name="height">In pixels, downwards.</param>
internal sealed class Drawing(double width, double height)
{
    /// <summary>Size of ordinary words.</summary>
    internal const double TextSize = 12;

    private static readonly double[][] Dashes = [[], [6, 3], [2, 3]];
    private readonly List<Shape> _shapes = [];

    internal double Width => width;

    internal double Height => height;

    /// <summary>What lies in it, from the back to the front.</summary>
    internal IReadOnlyList<Shape> Shapes => _shapes;

    /// <summary>A straight line.</summary>
    internal void Line(double x1, double y1, double x2, double y2, Ink ink, double thick = 1, int dash = 0) => _shapes.Add(new Line(x1, y1, x2, y2, ink, thick, DashOf(dash)));

    /// <summary>A line through points.</summary>
    internal void Curve(IReadOnlyList<(double X, double Y)> points, Ink ink, int dash = 0) => _shapes.Add(new Curve(points, ink, 1.8, DashOf(dash)));

    /// <summary>A filled box.</summary>
    /// <param name="x">Left edge.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="w">Width.</param>
    /// <param name="h">Height.</param>
    /// <param name="ink">Its colour.</param>
    /// <param name="opacity">0 to 1.</param>
    /// <param name="tip">Is shown where the pointer rests on it.</param>
    internal void Box(double x, double y, double w, double h, Ink ink, double opacity = 1, string? tip = null) => _shapes.Add(new Box(x, y, w, h, ink, opacity, tip));

    /// <summary>A mark at a point: a dot, or another form for each further series.</summary>
    internal void Mark(double x, double y, Ink ink, int form = 0, string? tip = null, double radius = 3)
    {
        double r = radius;
        (double, double)[]? corners = (form % 4) switch
        {
            1 => [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
            2 => [(x, y - 1.2 * r), (x + 1.2 * r, y + r), (x - 1.2 * r, y + r)],
            3 => [(x, y - 1.4 * r), (x + 1.4 * r, y), (x, y + 1.4 * r), (x - 1.4 * r, y)],
            _ => null,
        };
        _shapes.Add(corners is null ? new Dot(x, y, r, ink, tip) : new Polygon(corners, ink, tip));
    }

    /// <summary>Words on one line.</summary>
    /// <param name="x">Where they begin, end or have their middle.</param>
    /// <param name="y">The line that they stand on.</param>
    /// <param name="text">The words.</param>
    /// <param name="align">Which of these.</param>
    /// <param name="ink">Their colour.</param>
    /// <param name="size">In pixels.</param>
    /// <param name="bold">Whether they are.</param>
    /// <param name="turn">Degrees by which they are turned about that point, against the clock.</param>
    internal void Words(double x, double y, string text, Align align = Align.Left, Ink ink = Ink.Text, double size = TextSize, bool bold = false, double turn = 0) =>
        _shapes.Add(new Words(x, y, text, align, ink, size, bold, turn));

    /// <summary>Another picture in this one.</summary>
    internal void Place(Drawing other, double x, double y) => _shapes.AddRange(other._shapes.Select(shape => shape.Moved(x, y)));

    /// <summary>About how wide words are: the fonts of readers differ.</summary>
    internal static double WidthOf(string text, double size = TextSize) => size * text.EnumerateRunes().Sum(rune =>
        rune.Value >= 0x1100 ? 1 : char.IsAscii((char)rune.Value) && "iljtf.,:;|!'()[] ".Contains((char)rune.Value) ? 0.36 : 0.62);

    /// <summary>The words, cut where they are wider than there is room.</summary>
    internal static string Fitted(string text, double room, double size = TextSize)
    {
        var most = text.Length;
        while (most > 2 && WidthOf(ShortText.Of(text, most), size) > room) most--;
        return ShortText.Of(text, most);
    }

    private static double[] DashOf(int place) => Dashes[place % Dashes.Length];
}

/// <summary>On which side of their point words stand.</summary>
internal enum Align
{
    /// <summary>They begin there.</summary>
    Left,
    /// <summary>Their middle is there.</summary>
    Middle,
    /// <summary>They end there.</summary>
    Right,
}

/// <summary>Something in a <see cref="Drawing"/>.</summary>
internal abstract record Shape
{
    /// <summary>The same further right and down.</summary>
    internal abstract Shape Moved(double x, double y);
}

/// <summary>A straight line.</summary>
internal sealed record Line(double X1, double Y1, double X2, double Y2, Ink Ink, double Thick, double[] Dash) : Shape
{
    internal override Shape Moved(double x, double y) => this with { X1 = X1 + x, X2 = X2 + x, Y1 = Y1 + y, Y2 = Y2 + y };
}

/// <summary>A line through points.</summary>
internal sealed record Curve(IReadOnlyList<(double X, double Y)> Points, Ink Ink, double Thick, double[] Dash) : Shape
{
    internal override Shape Moved(double x, double y) => this with { Points = [.. Points.Select(point => (point.X + x, point.Y + y))] };
}

/// <summary>A filled box.</summary>
internal sealed record Box(double X, double Y, double Width, double Height, Ink Ink, double Opacity, string? Tip) : Shape
{
    internal override Shape Moved(double x, double y) => this with { X = X + x, Y = Y + y };
}

/// <summary>A filled form with corners.</summary>
internal sealed record Polygon(IReadOnlyList<(double X, double Y)> Corners, Ink Ink, string? Tip) : Shape
{
    internal override Shape Moved(double x, double y) => this with { Corners = [.. Corners.Select(corner => (corner.X + x, corner.Y + y))] };
}

/// <summary>A filled circle.</summary>
internal sealed record Dot(double X, double Y, double Radius, Ink Ink, string? Tip) : Shape
{
    internal override Shape Moved(double x, double y) => this with { X = X + x, Y = Y + y };
}

/// <summary>Words on one line.</summary>
internal sealed record Words(double X, double Y, string Text, Align Align, Ink Ink, double Size, bool Bold, double Turn) : Shape
{
    internal override Shape Moved(double x, double y) => this with { X = X + x, Y = Y + y };
}
