using System.Globalization;
using Attune.Formats;

namespace Attune.Cli.Pages;

/// <summary>How numbers are written on pages and in charts, the same on every machine.</summary>
internal static class Figures
{
    /// <summary>Stands where there is no number.</summary>
    internal const string Unknown = "\u2013";

    /// <summary>A score: four digits behind the point; a dash where it is undefined.</summary>
    internal static string Score(double value) => double.IsFinite(value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : Unknown;

    /// <summary>A share of 1 in percent with one digit behind the point.</summary>
    internal static string Percent(double share) => double.IsFinite(share) ? (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %" : Unknown;

    /// <summary>A count, its thousands apart.</summary>
    internal static string Count(double value) => Amount.Of(value);

    /// <summary>Any number, to four significant digits.</summary>
    internal static string Number(double value) => !double.IsFinite(value) ? Unknown
        : value != 0 && Math.Abs(value) < 1e-3 ? value.ToString("0.###e0", CultureInfo.InvariantCulture)
        : Math.Abs(value) >= 1000 ? Amount.Of(value)
        : value.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>From a lower to an upper end.</summary>
    internal static string Interval(double low, double high) => double.IsFinite(low) && double.IsFinite(high) ? $"{Score(low)} to {Score(high)}" : Unknown;
}
