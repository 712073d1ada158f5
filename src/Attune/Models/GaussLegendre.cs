namespace Attune.Models;

/// <summary>
/// Gauss and Legendre's rule for an integral from 0 to 1: exact for polynomials of a degree below twice its number of places. These are the zeros of Legendre's
/// polynomial, found by Newton's method (Abramowitz and Stegun, 25.4.29 and 22.16.6).
/// </summary>
internal static class GaussLegendre
{
    /// <summary>The places, ascending, with their weights, which add up to 1.</summary>
    /// <param name="places">How many, at least 1.</param>
    internal static (double At, double Weight)[] Rule(int places)
    {
        var rule = new (double, double)[places];
        for (var i = 0; i < places; i++)
        {
            var x = -Math.Cos(Math.PI * (i + 0.75) / (places + 0.5));
            var slope = 0.0;
            for (var step = 0; step < 100; step++)
            {
                (var value, slope) = Polynomial(places, x);
                var change = value / slope;
                x -= change;
                if (Math.Abs(change) < 1e-15) break;
            }
            rule[i] = ((x + 1) / 2, 1 / ((1 - x * x) * slope * slope));
        }
        return rule;
    }

    /// <summary>Legendre's polynomial and its derivative (22.7.10 and 22.8.5).</summary>
    private static (double Value, double Slope) Polynomial(int degree, double x)
    {
        double before = 1, value = x;
        for (var k = 2; k <= degree; k++) (before, value) = (value, ((2 * k - 1) * x * value - (k - 1) * before) / k);
        return (value, degree * (x * value - before) / (x * x - 1));
    }
}
