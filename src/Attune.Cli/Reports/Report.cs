using Attune.Cli.Pages;
using Attune.Formats;

namespace Attune.Cli.Reports;

/// <summary>A page that is being made, and its charts by the names of their files.</summary>
/// <param name="title">Of the page.</param>
internal sealed class Report(string title)
{
    private readonly HtmlPage _page = new(title);
    private readonly List<(string Name, Plot Plot)> _plots = [];

    /// <summary>The page.</summary>
    internal HtmlPage Page => _page;

    /// <summary>Adds a chart.</summary>
    /// <param name="name">Of its files.</param>
    /// <param name="plot">The chart.</param>
    internal void Add(string name, Plot plot)
    {
        _page.Add(plot);
        _plots.Add((name, plot));
    }

    /// <summary>Writes each chart as SVG and as PNG; gives how many there are.</summary>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    internal int WritePlots(string folder)
    {
        AtomicFile.CreateFolder(folder);
        foreach (var (name, plot) in _plots)
            foreach (var ending in new[] { ".svg", ".png" }) PlotFile.Write(Path.Combine(folder, name + ending), plot);
        return _plots.Count;
    }
}
