using System.Globalization;
using System.Text;

namespace Attune.Formats;

/// <summary>Floating-point numbers as Python's <c>repr</c> writes them.</summary>
internal static class PythonFloat
{
    /// <summary>The shortest digits that read back as the same number: <c>2e-05</c>, <c>0.0001</c>, <c>1.0</c>, <c>1e+16</c>, <c>nan</c>, <c>-inf</c>.</summary>
    internal static string Repr(double value)
    {
        if (!double.IsFinite(value)) return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        if (value == 0) return double.IsNegative(value) ? "-0.0" : "0.0";

        // .NET finds the same shortest digits; only where the point goes and when an exponent is written differ.
        var shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var parts = shortest.Split('E');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? parts[0].Length : point;
        var digits = parts[0].Replace(".", "", StringComparison.Ordinal);
        var zeros = digits.Length - digits.TrimStart('0').Length;
        var exponent = whole - 1 - zeros + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        digits = digits.Trim('0');
        return (value < 0 ? "-" : "") + Place(digits, exponent);
    }

    private static string Place(string digits, int exponent)
    {
        if (exponent is < -4 or >= 16)
        {
            var scientific = new StringBuilder(digits);
            if (digits.Length > 1) scientific.Insert(1, '.');
            return scientific.Append(exponent < 0 ? "e-" : "e+")
                .Append(Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)).ToString();
        }
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        return digits.Length > exponent + 1
            ? digits.Insert(exponent + 1, ".")
            : digits.PadRight(exponent + 1, '0') + ".0";
    }
}
