using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Optimization;

/// <summary>The members of <c>lr_scheduler_kwargs</c>, each to be asked for by the schedule that knows it.</summary>
internal sealed class SchedulerOptions(string schedule, JsonObject? values)
{
    private readonly HashSet<string> _known = [];

    internal double Number(string name, double otherwise) => Number(name) ?? otherwise;

    /// <summary>The number of that name; null where it is absent. Text is read as a number, as it comes from a command line.</summary>
    internal double? Number(string name)
    {
        if (Find(name) is not { } value) return null;
        if (value.GetValueKind() is JsonValueKind.Number) return value.Deserialize<double>();
        return value.GetValueKind() is JsonValueKind.String
            && double.TryParse(value.GetValue<string>(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Unfit(name, value, "a number");
    }

    internal long? Count(string name) => Number(name) switch
    {
        null => null,
        >= 0 and <= 1L << 53 and var number when number == Math.Floor(number) => (long)number,
        _ => throw Unfit(name, Find(name)!, "a whole number of at least 0"),
    };

    internal string Choice(string name, string otherwise, params ReadOnlySpan<string> allowed)
    {
        if (Find(name) is not { } value) return otherwise;
        if (value.GetValueKind() is JsonValueKind.String && allowed.Contains(value.GetValue<string>())) return value.GetValue<string>();
        throw Unfit(name, value, "one of " + string.Join(", ", allowed));
    }

    /// <summary>Refuses members that nobody asked for: a misspelled one would otherwise have no effect and say nothing.</summary>
    internal void RefuseOthers()
    {
        foreach (var (name, _) in values ?? [])
            if (!_known.Contains(name))
                throw new AttuneException(
                    $"lr_scheduler_kwargs has \"{name}\", which the schedule {schedule} does not know; remove it" +
                    (_known.Count == 0 ? "." : $" or use one of {string.Join(", ", _known.Order(StringComparer.Ordinal))}."));
    }

    private JsonNode? Find(string name)
    {
        _known.Add(name);
        return values?[name];
    }

    private static AttuneException Unfit(string name, JsonNode value, string wanted) =>
        new($"lr_scheduler_kwargs: {name} is {value.ToJsonString()}; it must be {wanted}.");
}
