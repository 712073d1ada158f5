using System.Globalization;

namespace Attune.Cli.Pages;

/// <summary>From numbers to places on a line, with round numbers beside it.</summary>
/// <param name="Low">At its beginning.</param>
/// <param name="High">At its end.</param>
/// <param name="Step">Between two ticks.</param>
internal sealed record Axis(double Low, double High, double Step)
{
    /// <summary>An axis that holds all numbers, each end moved outwards to a round one.</summary>
    /// <param name="numbers">Those that are finite count; 0 to 1 without any.</param>
    /// <param name="isWhole">Whether there is nothing between whole numbers.</param>
    /// <param name="steps">About how many ticks are wanted.</param>
    internal static Axis Of(IEnumerable<double> numbers, bool isWhole = false, int steps = 5)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (var number in numbers.Where(double.IsFinite)) (low, high) = (Math.Min(low, number), Math.Max(high, number));
        if (low > high) (low, high) = (0, 1);
        if (high <= low) (low, high) = (low - Apart(low), low + Apart(low));
        var step = Round((high - low) / steps);
        if (isWhole) step = Math.Max(1, step);
        return new Axis(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step);
    }

    /// <summary>An axis from one number to another, with ticks at round ones.</summary>
    internal static Axis Between(double low, double high, int steps = 5) => new(low, high, Round((high - low) / steps));

    /// <summary>Where a number lies, 0 at the beginning and 1 at the end.</summary>
    internal double Place(double value) => (value - Low) / (High - Low);

    /// <summary>The round numbers, with how they are written.</summary>
    internal IEnumerable<(double Value, string Text)> Ticks
    {
        get
        {
            var first = (long)Math.Ceiling(Low / Step - 1e-9);
            for (var i = first; i * Step <= High + Step * 1e-9; i++) yield return (i * Step, Said(i * Step));
        }
    }

    /// <summary>As many digits as tell two ticks apart.</summary>
    private string Said(double value)
    {
        var widest = Math.Max(Math.Abs(Low), Math.Abs(High));
        if (value == 0) return "0";
        if (widest < 1e-3 || widest >= 1e7)
        {
            var exponent = Math.Floor(Math.Log10(Math.Abs(value)) + 1e-9);
            return Math.Round(value / Math.Pow(10, exponent), 3).ToString("0.###", CultureInfo.InvariantCulture) + "e" + exponent.ToString("0", CultureInfo.InvariantCulture);
        }
        var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(Step) - 1e-9), 0, 12);
        return (value + 0.0).ToString((Math.Abs(value) >= 10_000 ? "#,##0." : "0.") + new string('#', digits), CultureInfo.InvariantCulture);
    }

    private static double Apart(double number) => number == 0 ? 0.5 : Math.Abs(number) * 0.1;

    private static double Round(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * ((rough / power) switch { <= 1 + 1e-9 => 1, <= 2 + 1e-9 => 2, <= 5 + 1e-9 => 5, _ => 10 });
    }
}
