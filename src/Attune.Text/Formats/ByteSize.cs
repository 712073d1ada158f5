using System.Globalization;

namespace Attune.Formats;

/// <summary>Sizes of memory and files as they are told to people.</summary>
internal static class ByteSize
{
    internal static string Words(double bytes) => bytes >= 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");
}
