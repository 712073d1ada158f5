using System.Globalization;

namespace Attune.Tokenization;

/// <summary>A number of JSON as Rust's serde_json reads it: its digits as one whole number, divided by a power of ten. The last bit may differ from the nearest number.</summary>
/// <remarks>Unigram compares sums of such numbers, and equal ones are not rare: the last bit decides which pieces a word has.</remarks>
internal static class RustFloat
{
    private const int GreatestPower = 308;
    private static readonly double[] Powers = [.. Enumerable.Range(0, GreatestPower + 1).Select(power => double.Parse($"1e{power}", CultureInfo.InvariantCulture))];

    /// <param name="number">As JSON allows it.</param>
    /// <exception cref="FormatException">It is no number.</exception>
    internal static double Parse(string number)
    {
        var (digits, exponent, at) = (0UL, 0, number.StartsWith('-') ? 1 : 0);
        var (isFraction, isFull) = (false, false);
        for (; at < number.Length && (char.IsAsciiDigit(number[at]) || number[at] == '.'); at++)
        {
            if (number[at] == '.')
            {
                isFraction = true;
                continue;
            }
            var digit = (ulong)(number[at] - '0');
            isFull |= digits > (ulong.MaxValue - digit) / 10;
            if (!isFull) digits = digits * 10 + digit;
            if (isFull && !isFraction) exponent++;
            if (!isFull && isFraction) exponent--;
        }
        if (at < number.Length)
        {
            if (number[at] is not ('e' or 'E')) throw new FormatException($"{number} is not a number");
            exponent += int.Parse(number.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }
        double value = digits;
        for (; exponent < -GreatestPower && value != 0; exponent += GreatestPower) value /= Powers[GreatestPower];
        if (exponent > GreatestPower && digits != 0) throw new FormatException($"{number} is too great");
        value = exponent < 0 ? value / Powers[Math.Min(-exponent, GreatestPower)] : value * Powers[Math.Min(exponent, GreatestPower)];
        return number[0] == '-' ? -value : value;
    }
}
