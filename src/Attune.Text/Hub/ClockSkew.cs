using System.Globalization;

namespace Attune.Hub;

/// <summary>How far a clock is from another: with a wrong one certificates are refused and tokens have run out.</summary>
internal static class ClockSkew
{
    internal const string Remedy = "Set the clock, for instance with \"chronyc makestep\" or \"timedatectl set-ntp true\": with a wrong one the hub's certificates and tokens are refused.";

    /// <summary>Most that two clocks may differ.</summary>
    internal static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>By how much and in which direction a clock is wrong, in words; null where the two agree.</summary>
    internal static string? Words(DateTimeOffset clock, DateTimeOffset other) => (clock - other).Duration() <= Tolerance ? null
        : string.Create(CultureInfo.InvariantCulture, $"{(clock - other).Duration().TotalMinutes:0} minutes {(clock > other ? "ahead of" : "behind")}");
}
