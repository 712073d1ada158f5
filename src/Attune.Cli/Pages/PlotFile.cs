using Attune.Formats;

namespace Attune.Cli.Pages;

/// <summary>Writes a chart into a file whose name says as what: SVG or PNG.</summary>
internal static class PlotFile
{
    private const string Png = ".png", Svg = ".svg";

    /// <summary>Refuses a file before anything is computed for it.</summary>
    /// <exception cref="UsageException">Its name ends in neither.</exception>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal static void Require(string path)
    {
        if (!IsPng(path) && !path.EndsWith(Svg, StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"{path}: a plot is a file that ends in {Svg} or {Png}; name it so.");
        AtomicFile.RequireWritable(path);
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal static void Write(string path, Plot plot)
    {
        if (IsPng(path)) AtomicFile.Write(path, stream => stream.Write(plot.ToPng()));
        else AtomicFile.WriteText(path, plot.ToSvg());
    }

    private static bool IsPng(string path) => path.EndsWith(Png, StringComparison.OrdinalIgnoreCase);
}
