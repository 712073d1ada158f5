using SkiaSharp;

namespace Attune.Cli.Pages;

/// <summary>A drawing as PNG, on a light ground.</summary>
/// <remarks>
/// SkiaSharp comes with TorchSharp anyway; its own library is loaded by the first picture and by nothing else. It finds no fonts on servers, so
/// <see cref="PlotFont"/> brings one, and a picture is the same on every machine.
/// </remarks>
internal static class PngWriter
{
    /// <summary>Pixels of the picture for each of the drawing, for sharp screens and print.</summary>
    internal const int Scale = 2;

    /// <summary>The bytes of the file.</summary>
    internal static byte[] File(Drawing drawing)
    {
        var info = new SKImageInfo((int)Math.Ceiling(drawing.Width * Scale), (int)Math.Ceiling(drawing.Height * Scale), SKColorType.Rgba8888, SKAlphaType.Premul);
        using var surface = SKSurface.Create(info);
        var canvas = surface.Canvas;
        canvas.Clear(SKColor.Parse(Palette.LightColour(Ink.Surface)));
        canvas.Scale(Scale);
        foreach (var shape in drawing.Shapes) Paint(canvas, shape);
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    private static void Paint(SKCanvas canvas, Shape shape)
    {
        switch (shape)
        {
            case Line line:
                using (var paint = Stroke(line.Ink, line.Thick, line.Dash)) canvas.DrawLine((float)line.X1, (float)line.Y1, (float)line.X2, (float)line.Y2, paint);
                break;
            case Curve curve:
                using (var paint = Stroke(curve.Ink, curve.Thick, curve.Dash))
                using (var path = Path(curve.Points, close: false)) canvas.DrawPath(path, paint);
                break;
            case Box box:
                using (var paint = Fill(box.Ink, box.Opacity)) canvas.DrawRect((float)box.X, (float)box.Y, (float)box.Width, (float)box.Height, paint);
                break;
            case Polygon polygon:
                using (var paint = Fill(polygon.Ink))
                using (var path = Path(polygon.Corners, close: true)) canvas.DrawPath(path, paint);
                break;
            case Dot dot:
                using (var paint = Fill(dot.Ink)) canvas.DrawCircle((float)dot.X, (float)dot.Y, (float)dot.Radius, paint);
                break;
            case Words words:
                Write(canvas, words);
                break;
        }
    }

    private static void Write(SKCanvas canvas, Words words)
    {
        using var paint = Fill(words.Ink);
        using var font = new SKFont(PlotFont.Of(words.Bold), (float)words.Size) { Subpixel = true, LinearMetrics = true, Hinting = SKFontHinting.None };
        canvas.Save();
        canvas.RotateDegrees((float)-words.Turn, (float)words.X, (float)words.Y);
        var align = words.Align switch { Align.Middle => SKTextAlign.Center, Align.Right => SKTextAlign.Right, _ => SKTextAlign.Left };
        var text = string.Concat(words.Text.EnumerateRunes());              // half a pair would leave the whole out
        canvas.DrawText(text, (float)words.X, (float)words.Y, align, font, paint);
        canvas.Restore();
    }

    private static SKPath Path(IReadOnlyList<(double X, double Y)> points, bool close)
    {
        using var builder = new SKPathBuilder();
        foreach (var (place, (x, y)) in points.Index())
        {
            if (place == 0) builder.MoveTo((float)x, (float)y);
            else builder.LineTo((float)x, (float)y);
        }
        if (close) builder.Close();
        return builder.Detach();
    }

    private static SKPaint Fill(Ink ink, double opacity = 1) => new()
    {
        Color = SKColor.Parse(Palette.LightColour(ink)).WithAlpha((byte)Math.Round(255 * Math.Clamp(opacity, 0, 1))),
        IsAntialias = true,
    };

    private static SKPaint Stroke(Ink ink, double thick, double[] dash)
    {
        var paint = Fill(ink);
        (paint.IsStroke, paint.StrokeWidth, paint.StrokeJoin) = (true, (float)thick, SKStrokeJoin.Round);
        if (dash.Length > 0) paint.PathEffect = SKPathEffect.CreateDash(Array.ConvertAll(dash, length => (float)length), 0);
        return paint;
    }
}
