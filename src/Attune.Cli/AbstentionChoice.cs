using System.Globalization;
using Attune.Metrics;

namespace Attune.Cli;

/// <summary>What <c>abstain_below</c> says: a confidence, or how accurate the answers are to be.</summary>
/// <param name="Number">The confidence; null where it is chosen.</param>
/// <param name="Accuracy">The share of answered rows that is to be right; null where the confidence is given.</param>
internal sealed record AbstentionChoice(double? Number, double? Accuracy)
{
    private const string Chosen = "auto:";

    /// <summary>Reads the value of <c>abstain_below</c>.</summary>
    /// <returns>Null where nothing is said.</returns>
    /// <exception cref="AttuneException">It is none.</exception>
    internal static AbstentionChoice? Parse(string? text) => text switch
    {
        null => null,
        _ when text.StartsWith(Chosen, StringComparison.Ordinal) && Share(text[Chosen.Length..]) is { } accuracy => new(null, accuracy),
        _ when Share(text) is { } number => new(number, null),
        _ => throw new AttuneException($"abstain_below is {text}; it must be a probability from 0 to 1, or auto: and the accuracy that answers are to have, such as auto:0.95."),
    };

    /// <summary>The confidence; null where none makes the answers as accurate as wanted.</summary>
    /// <param name="rows">The rows to choose by.</param>
    /// <param name="temperature">At which they are judged.</param>
    internal double? Of(EvalPrediction rows, double temperature) => Number ?? AbstentionCurve.Of(rows, temperature).ThresholdFor(Accuracy!.Value);

    private static double? Share(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1 ? number : null;
}
