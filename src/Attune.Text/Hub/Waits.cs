namespace Attune.Hub;

/// <summary>How long to wait before something is asked again.</summary>
internal static class Waits
{
    /// <summary>How often a request is made again.</summary>
    internal const int Retries = 5;

    /// <summary>The longest wait that a server may ask for; the hub counts requests in windows of 5 minutes.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(330);

    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(8);

    /// <summary>1, 2, 4, 8, 8 ... seconds.</summary>
    /// <param name="tries">How often it was tried, at least 1.</param>
    internal static TimeSpan After(int tries)
    {
        var wait = TimeSpan.FromSeconds(1L << Math.Min(tries - 1, 30));
        return wait < LongestBackoff ? wait : LongestBackoff;
    }

    /// <summary>A little more than the server asks for, as both clocks round.</summary>
    internal static TimeSpan AsAsked(TimeSpan asked) => asked + TimeSpan.FromSeconds(0.5);
}
