using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Optimization;

/// <summary>The members of <c>lr_scheduler_kwargs</c> or <c>optim_args</c>, each to be asked for by the schedule or optimizer that knows it.</summary>
/// <param name="argument">The argument that has them.</param>
/// <param name="owner">Who takes them, in words.</param>
/// <param name="values">The members; null: none.</param>
internal sealed class GivenOptions(string argument, string owner, JsonObject? values)
{
    private readonly HashSet<string> _known = [];

    /// <summary>Those of <c>lr_scheduler_kwargs</c>.</summary>
    internal static GivenOptions OfSchedule(string name, JsonObject? values) => new("lr_scheduler_kwargs", "the schedule " + name, values);

    /// <summary>Those of <c>optim_args</c>: <c>name=value</c>, separated by commas; blanks do not count, as in transformers.</summary>
    /// <exception cref="AttuneException">The text is something else, or has a name twice.</exception>
    internal static GivenOptions OfOptimizer(string name, string? text)
    {
        var values = new JsonObject();
        foreach (var pair in text?.Replace(" ", "", StringComparison.Ordinal) is { Length: > 0 } given ? given.Split(',') : [])
        {
            if (pair.Split('=') is not [{ Length: > 0 } key, var value])
                throw new AttuneException($"optim_args is {text}; it must be name=value, or several of them separated by commas.");
            if (!values.TryAdd(key, value)) throw new AttuneException($"optim_args has {key} twice; give it once.");
        }
        return new("optim_args", "the optimizer " + name, values);
    }

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

    /// <summary>A number within a range.</summary>
    internal double Number(string name, double otherwise, Func<double, bool> fits, string range)
    {
        var number = Number(name, otherwise);
        return fits(number) ? number : throw Unfit(name, Find(name) ?? JsonValue.Create(number), range);
    }

    internal long? Count(string name) => Number(name) switch
    {
        null => null,
        >= 0 and <= 1L << 53 and var number when number == Math.Floor(number) => (long)number,
        _ => throw Unfit(name, Find(name)!, "a whole number of at least 0"),
    };

    internal bool Flag(string name, bool otherwise) => Find(name) switch
    {
        null => otherwise,
        var value when bool.TryParse(value.ToString(), out var flag) => flag,
        var value => throw Unfit(name, value, "true or false"),
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
                    $"{argument} has \"{name}\", which {owner} does not know; remove it" +
                    (_known.Count == 0 ? "." : $" or use one of {string.Join(", ", _known.Order(StringComparer.Ordinal))}."));
    }

    private JsonNode? Find(string name)
    {
        _known.Add(name);
        return values?[name];
    }

    private AttuneException Unfit(string name, JsonNode value, string wanted) =>
        new($"{argument}: {name} is {value.ToJsonString()}; it must be {wanted}.");
}
