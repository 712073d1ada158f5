using System.Globalization;

namespace Attune.Formats;

/// <summary>Whole numbers as they are told of rows and texts, in text and on pages alike: their thousands apart.</summary>
internal static class Amount
{
    /// <summary>A number.</summary>
    internal static string Of(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>So many of something.</summary>
    /// <param name="number">How many.</param>
    /// <param name="what">The word for one.</param>
    /// <param name="several">The word for several where it is not the first with an s.</param>
    internal static string Of(long number, string what, string? several = null) => $"{Of(number)} {(number == 1 ? what : several ?? what + "s")}";
}
