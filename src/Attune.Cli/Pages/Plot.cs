namespace Attune.Cli.Pages;

/// <summary>A chart: what it shows, how it is drawn, and its numbers.</summary>
/// <param name="Title">Stands above it.</param>
internal abstract record Plot(string Title)
{
    /// <summary>Width of a chart.</summary>
    internal const double Width = 720;

    /// <summary>What it says, for those who do not see it, and below it for all.</summary>
    internal string Description { get; init; } = "";

    /// <summary>The picture.</summary>
    internal abstract Drawing Draw();

    /// <summary>The numbers that it shows; null where these would be too many to read.</summary>
    internal abstract HtmlTable? Numbers();

    /// <summary>As a file of its own.</summary>
    internal string ToSvg() => SvgWriter.File(Draw(), Title, Description);

    /// <summary>As a picture of pixels.</summary>
    internal byte[] ToPng() => PngWriter.File(Draw());

    /// <summary>Writes a title into a drawing.</summary>
    protected void Head(Drawing drawing, double left) => drawing.Words(left, 20, Drawing.Fitted(Title, Width - left, 14), bold: true, size: 14);
}
