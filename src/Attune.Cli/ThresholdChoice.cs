using System.Globalization;
using Attune.Metrics;

namespace Attune.Cli;

/// <summary>What <c>threshold</c> says: a number, or to choose by F1.</summary>
/// <param name="Number">The probability; null where it is chosen.</param>
/// <param name="IsOneForAll">Whether one is chosen for all labels, by the micro average.</param>
internal sealed record ThresholdChoice(double? Number, bool IsOneForAll = false)
{
    /// <summary>Reads the value of <c>threshold</c>.</summary>
    /// <returns>Null where nothing is said.</returns>
    /// <exception cref="AttuneException">It is none.</exception>
    internal static ThresholdChoice? Parse(string? text) => text switch
    {
        null => null,
        "auto" => new(Number: null),
        "auto_micro" => new(Number: null, IsOneForAll: true),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1 => new(number),
        _ => throw new AttuneException($"threshold is {text}; it must be a probability from 0 to 1, auto or auto_micro."),
    };

    /// <summary>A threshold for each label.</summary>
    /// <param name="rows">The rows to choose by.</param>
    internal IReadOnlyList<double> Of(EvalPrediction rows)
    {
        if (Number is { } number) return [.. Enumerable.Repeat(number, rows.Columns)];
        var probabilities = Probabilities.Sigmoid(rows.Logits);
        return IsOneForAll
            ? [.. Enumerable.Repeat(LabelThresholds.BestMicroF1(rows.HasLabel, probabilities), rows.Columns)]
            : LabelThresholds.BestF1(rows.HasLabel, probabilities, rows.Columns);
    }
}
