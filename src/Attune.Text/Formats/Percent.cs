using System.Globalization;

namespace Attune.Formats;

/// <summary>Shares as they are told of rows and texts, in text and on pages alike: in percent, with up to two digits behind the point.</summary>
internal static class Percent
{
    /// <summary>A part of a whole; nothing where there is no whole.</summary>
    internal static string Of(double part, double whole) => whole == 0 ? "" : (100 * part / whole).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
