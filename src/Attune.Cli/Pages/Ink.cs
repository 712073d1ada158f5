using System.Globalization;
using System.Text;

namespace Attune.Cli.Pages;

/// <summary>What something in a chart is coloured as; which colour that is depends on whether the page is light or dark.</summary>
internal enum Ink
{
    /// <summary>Words and axes.</summary>
    Text,
    /// <summary>Words that matter less.</summary>
    Muted,
    /// <summary>Lines behind the data.</summary>
    Grid,
    /// <summary>The ground.</summary>
    Surface,
    /// <summary>The first of what is compared, and the next.</summary>
    Series1, Series2, Series3, Series4, Series5, Series6, Series7,
}

/// <summary>The colours of <see cref="Ink"/>.</summary>
/// <remarks>
/// Okabe and Ito's colours (2008), which people with any kind of colour vision tell apart, moved towards the dark or the light so that each stands
/// out from its ground by 3:1 (WCAG 2.2, 1.4.11). Dashes and marks tell lines apart besides.
/// </remarks>
internal static class Palette
{
    /// <summary>How many kinds of series have a colour of their own.</summary>
    internal const int Series = 7;

    private static readonly string[] Light =
        ["#1b1f24", "#57606a", "#d8dde3", "#ffffff", "#0072b2", "#d55e00", "#008a64", "#b4568c", "#a87400", "#2a8fcc", "#444b54"];
    private static readonly string[] Dark =
        ["#e6e8eb", "#a3abb5", "#3a414b", "#14171c", "#56a8e0", "#f2843f", "#2bc79a", "#e39ac4", "#f0b840", "#9bd6ff", "#c3c9d1"];

    /// <summary>The colour of a series by its place; after the last comes the first.</summary>
    internal static Ink Of(int place) => Ink.Series1 + place % Series;

    /// <summary>On a light ground.</summary>
    internal static string LightColour(Ink ink) => Light[(int)ink];

    /// <summary>The name of its CSS variable and of its class in drawings.</summary>
    internal static string Name(Ink ink) => ink.ToString().ToLowerInvariant();

    /// <summary>The variables as CSS: light, and dark where the reader's screen asks for it. Paper is light.</summary>
    internal static string Css => $":root{{color-scheme:light dark;{Variables(Light)}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{Variables(Dark)}}}}}\n";

    /// <summary>What the classes of a drawing mean, within a page that has the variables.</summary>
    internal static string DrawingCss => Rules(ink => $"var(--{Name(ink)})");

    /// <summary>What they mean in a file of its own: plain colours, which every reader of SVG understands.</summary>
    internal static string FileCss => Rules(ink => Light[(int)ink]) + $"@media screen and (prefers-color-scheme:dark){{{Rules(ink => Dark[(int)ink])}}}\n";

    private static string Variables(string[] colours) => string.Concat(Enum.GetValues<Ink>().Select(ink => $"--{Name(ink)}:{colours[(int)ink]};"));

    private static string Rules(Func<Ink, string> colour)
    {
        var css = new StringBuilder();
        foreach (var ink in Enum.GetValues<Ink>())
            css.Append(CultureInfo.InvariantCulture, $".f-{Name(ink)}{{fill:{colour(ink)}}}.s-{Name(ink)}{{stroke:{colour(ink)};fill:none}}\n");
        return css.ToString();
    }
}
