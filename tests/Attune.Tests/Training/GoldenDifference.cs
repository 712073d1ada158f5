using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Tests.Training;

/// <summary>Compares what a run gave with what the golden file says, within the tolerances of golden/README.md.</summary>
internal static class GoldenDifference
{
    private const double Loss = 1e-5, LoggedLoss = 1e-4, Moved = 1e-4, Rate = 1e-12;

    private static readonly HashSet<string> Timings = ["runtime", "samples_per_second", "steps_per_second"];

    /// <summary>The first difference in words; null where there is none.</summary>
    /// <param name="expected">From the golden file; a timing is null there.</param>
    /// <param name="actual">What the run gave.</param>
    /// <param name="place">Name of the field, for the message and the tolerance.</param>
    /// <param name="baseRate">What learning rates are relative to.</param>
    internal static string? Find(JsonNode? expected, JsonNode? actual, string place, double baseRate)
    {
        switch (expected, actual)
        {
            case (JsonObject wanted, JsonObject found):
                var names = wanted.Select(pair => pair.Key).Order(StringComparer.Ordinal).ToList();
                var foundNames = found.Select(pair => pair.Key).Order(StringComparer.Ordinal).ToList();
                return names.SequenceEqual(foundNames)
                    ? names.Select(name => Find(wanted[name], found[name], $"{place}.{name}", baseRate)).FirstOrDefault(line => line is not null)
                    : $"{place} has {string.Join(", ", foundNames)}, expected {string.Join(", ", names)}";
            case (JsonArray wanted, JsonArray found):
                return wanted.Count == found.Count
                    ? wanted.Index().Select(item => Find(item.Item, found[item.Index], $"{place}[{item.Index}]", baseRate)).FirstOrDefault(line => line is not null)
                    : $"{place} has {found.Count} entries, expected {wanted.Count}: {found.Text()} for {wanted.Text()}";
            case (_, not null) when Timings.Any(timing => place.EndsWith(timing, StringComparison.Ordinal)):
                return BookkeepingRun.Number(actual) >= 0 ? null : $"{place} is negative";
            default:
                return AreSame(expected, actual, place, baseRate) ? null : $"{place} is {actual?.Text() ?? "null"}, expected {expected?.Text() ?? "null"}";
        }
    }

    private static bool AreSame(JsonNode? expected, JsonNode? actual, string place, double baseRate)
    {
        if (expected is null || actual is null) return expected is null && actual is null;
        if (!IsNumber(expected) || !IsNumber(actual)) return expected.ToString() == actual.ToString();
        var (wanted, found) = (BookkeepingRun.Number(expected), BookkeepingRun.Number(actual));
        return wanted.Equals(found) || Math.Abs(wanted - found) <= Tolerance(place, wanted, baseRate);
    }

    private static double Tolerance(string place, double value, double baseRate)
    {
        var name = place[(place.LastIndexOf('.') + 1)..].Split('[')[0];
        return name switch
        {
            "lr" or "learning_rate" => Rate * baseRate,
            "loss" when place.StartsWith("log_history", StringComparison.Ordinal) => LoggedLoss,
            "loss" or "train_loss" or "eval_loss" => Loss,
            "grad_norm" => Loss * Math.Max(1, value),
            "weights_moved_l2" => Moved,
            "best_metric" => Loss,
            _ => 0,
        };
    }

    private static bool IsNumber(JsonNode node) => node.GetValueKind() == JsonValueKind.Number
        || node.GetValueKind() == JsonValueKind.String && (string)node! is "NaN" or "Infinity" or "-Infinity";

    private static string Text(this JsonNode node) => PythonJson.Write(node);
}
