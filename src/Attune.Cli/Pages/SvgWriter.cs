using System.Globalization;
using System.Text;

namespace Attune.Cli.Pages;

/// <summary>A drawing as SVG.</summary>
internal static class SvgWriter
{
    /// <summary>A file of its own, on a ground of its own.</summary>
    internal static string File(Drawing drawing, string title, string description)
    {
        var svg = new StringBuilder();
        Begin(svg, drawing, title, description, " font-family=\"system-ui, sans-serif\"");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Markup.Escaped(title)}</title>\n<style>{Palette.FileCss}</style>\n<rect width=\"100%\" height=\"100%\" class=\"f-surface\"/>\n");
        return End(svg, drawing);
    }

    /// <summary>An element within a page, which says what its classes mean.</summary>
    internal static string Element(Drawing drawing, string title, string description)
    {
        var svg = new StringBuilder();
        Begin(svg, drawing, title, description, "");
        return End(svg.Append('\n'), drawing);
    }

    private static void Begin(StringBuilder svg, Drawing drawing, string title, string description, string more) => svg.Append(CultureInfo.InvariantCulture,
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Number(drawing.Width)} {Number(drawing.Height)}\" width=\"{Number(drawing.Width)}\" height=\"{Number(drawing.Height)}\" " +
        $"role=\"img\" aria-label=\"{Markup.Escaped(description.Length > 0 ? $"{title}. {description}" : title)}\" font-size=\"{Number(Drawing.TextSize)}\"{more}>");

    private static string End(StringBuilder svg, Drawing drawing)
    {
        foreach (var shape in drawing.Shapes) Append(svg, shape);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Append(StringBuilder svg, Shape shape)
    {
        switch (shape)
        {
            case Line line:
                svg.Append($"<line x1=\"{Number(line.X1)}\" y1=\"{Number(line.Y1)}\" x2=\"{Number(line.X2)}\" y2=\"{Number(line.Y2)}\"{Stroke(line.Ink, line.Thick, line.Dash)}/>\n");
                break;
            case Curve curve:
                svg.Append($"<polyline points=\"{Points(curve.Points)}\"{Stroke(curve.Ink, curve.Thick, curve.Dash)}/>\n");
                break;
            case Box box:
                svg.Append($"<rect x=\"{Number(box.X)}\" y=\"{Number(box.Y)}\" width=\"{Number(box.Width)}\" height=\"{Number(box.Height)}\" class=\"f-{Palette.Name(box.Ink)}\"")
                    .Append(box.Opacity < 1 ? $" fill-opacity=\"{box.Opacity.ToString("0.###", CultureInfo.InvariantCulture)}\"" : "").Append(End("rect", box.Tip));
                break;
            case Polygon polygon:
                svg.Append($"<polygon points=\"{Points(polygon.Corners)}\" class=\"f-{Palette.Name(polygon.Ink)}\"{End("polygon", polygon.Tip)}");
                break;
            case Dot dot:
                svg.Append($"<circle cx=\"{Number(dot.X)}\" cy=\"{Number(dot.Y)}\" r=\"{Number(dot.Radius)}\" class=\"f-{Palette.Name(dot.Ink)}\"{End("circle", dot.Tip)}");
                break;
            case Words words:
                svg.Append($"<text x=\"{Number(words.X)}\" y=\"{Number(words.Y)}\" class=\"f-{Palette.Name(words.Ink)}\"")
                    .Append(words.Align switch { Align.Middle => " text-anchor=\"middle\"", Align.Right => " text-anchor=\"end\"", _ => "" })
                    .Append(words.Size != Drawing.TextSize ? $" font-size=\"{Number(words.Size)}\"" : "").Append(words.Bold ? " font-weight=\"bold\"" : "")
                    .Append(words.Turn != 0 ? $" transform=\"rotate({Number(-words.Turn)} {Number(words.X)} {Number(words.Y)})\"" : "")
                    .Append($">{Markup.Escaped(words.Text)}</text>\n");
                break;
        }
    }

    private static string End(string element, string? tip) => tip is null ? "/>\n" : $"><title>{Markup.Escaped(tip)}</title></{element}>\n";

    private static string Stroke(Ink ink, double thick, double[] dash) =>
        $" class=\"s-{Palette.Name(ink)}\"{(thick != 1 ? $" stroke-width=\"{Number(thick)}\"" : "")}{(dash.Length > 0 ? $" stroke-dasharray=\"{string.Join(' ', dash.Select(Number))}\"" : "")}";

    private static string Points(IEnumerable<(double X, double Y)> points) => string.Join(' ', points.Select(point => $"{Number(point.X)},{Number(point.Y)}"));

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
