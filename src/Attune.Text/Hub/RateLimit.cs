using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Attune.Hub;

/// <summary>How long a busy server wants to be left alone.</summary>
internal static partial class RateLimit
{
    /// <summary>The hub's own header where nothing is left of what it allows, else Retry-After in seconds or as a date; null where there is none.</summary>
    internal static TimeSpan? WaitOf(HttpResponseHeaders headers, DateTimeOffset now)
    {
        // "api";r=0;t=55: nothing remains, anew in 55 seconds. It stands in every answer, so r decides.
        if (headers.NonValidated.TryGetValues("ratelimit", out var limits) && Limit().Match(limits.FirstOrDefault() ?? "") is { Success: true } limit &&
            long.TryParse(limit.Groups[1].Value, CultureInfo.InvariantCulture, out var remaining) && remaining == 0 &&
            long.TryParse(limit.Groups[2].Value, CultureInfo.InvariantCulture, out var seconds) && seconds < int.MaxValue)
            return TimeSpan.FromSeconds(seconds);
        return headers.RetryAfter is not { } after ? null : after.Delta ?? Later(after.Date - now);
    }

    private static TimeSpan? Later(TimeSpan? wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait;

    [GeneratedRegex(@"r\s*=\s*(\d{1,18})\s*;\s*t\s*=\s*(\d{1,18})", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)]
    private static partial Regex Limit();
}
