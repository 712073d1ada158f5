using System.Globalization;
using System.Text.RegularExpressions;

namespace Attune.Training;

/// <summary>Times as people write them.</summary>
internal static partial class Duration
{
    /// <summary>Reads 45s, 90m, 2h30m, 1d, or hours, minutes and seconds as 02:30:00 with days before a dot; only times above 0.</summary>
    internal static bool TryParse(string text, out TimeSpan time)
    {
        if (Units().Match(text) is { Success: true, Length: > 0 } match)
        {
            double Part(string unit) => match.Groups[unit] is { Success: true } part ? double.Parse(part.Value, CultureInfo.InvariantCulture) : 0;
            var seconds = ((Part("d") * 24 + Part("h")) * 60 + Part("m")) * 60 + Part("s");
            time = seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
        }
        else if (!text.Contains(':', StringComparison.Ordinal) || !TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out time)) time = TimeSpan.Zero;
        return time > TimeSpan.Zero;
    }

    [GeneratedRegex(@"^(?:(?<d>\d{1,6})d)?(?:(?<h>\d{1,6})h)?(?:(?<m>\d{1,6})m)?(?:(?<s>\d{1,9})s)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Units();
}
