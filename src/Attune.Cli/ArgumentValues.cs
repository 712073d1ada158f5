using Attune.Training;

namespace Attune.Cli;

/// <summary>The arguments that were given, in configuration files or on the command line, and the words without option.</summary>
internal sealed class ArgumentValues(Verb verb, IReadOnlyList<string> texts)
{
    private readonly Dictionary<Argument, (object? Value, string Origin)> _values = [];

    /// <summary>The words without option.</summary>
    internal IReadOnlyList<string> Texts { get; } = texts;

    /// <summary>What should be said of arguments that have no effect here, and of names that were completed.</summary>
    internal List<string> Notices { get; } = [];

    /// <summary>Whether the arguments are only to be shown.</summary>
    internal bool AreOnlyShown { get; init; }

    /// <summary>The values given, by the arguments' names in JSON.</summary>
    internal IEnumerable<KeyValuePair<string, object?>> Given => _values.Select(pair => KeyValuePair.Create(pair.Key.Name, pair.Value.Value));

    /// <summary>Whether an argument was given, be it as null: that too can be a choice, such as no limit.</summary>
    internal bool Has(string name) => _values.ContainsKey(Find(name));

    /// <summary>Takes a value.</summary>
    /// <param name="argument">Of the verb.</param>
    /// <param name="value">As the argument reads it.</param>
    /// <param name="origin">Where it was given, for people: a file with its line, an option.</param>
    internal void Set(Argument argument, object? value, string origin) => _values[argument] = (value, origin);

    /// <summary>Takes back a value, where there is one.</summary>
    internal void Forget(string name)
    {
        if (verb.Arguments.FirstOrDefault(argument => argument.Name == name) is { } argument) _values.Remove(argument);
    }

    /// <summary>A default that depends on other arguments: it gives way to what was given. Null and an empty list, which <c>--print-config</c> prints too, say nothing.</summary>
    internal void SetDefault(string name, object? value, string origin)
    {
        var argument = Find(name);
        if (!_values.TryGetValue(argument, out var given) || given.Value is null or IReadOnlyCollection<string> { Count: 0 }) _values[argument] = (value, origin);
    }

    /// <summary>Fills in defaults of arguments that were not given.</summary>
    /// <param name="defaults">Names and values.</param>
    /// <param name="origin">Whose defaults they are, for people.</param>
    /// <returns>The values used, in words; null where everything was given.</returns>
    internal string? FillIn(IEnumerable<(string Name, object? Value)> defaults, string origin)
    {
        List<string> used = [];
        foreach (var (name, value) in defaults)
        {
            if (Has(name)) continue;
            SetDefault(name, value, origin);
            used.Add($"{name} {Argument.ToJson(value)?.ToString()}");
        }
        return used.Count == 0 ? null : string.Join(", ", used);
    }

    /// <summary>Every argument of the verb with its value, and where that comes from.</summary>
    internal IEnumerable<(Argument Argument, object? Value, string Origin)> All => verb.Arguments.Select(argument =>
        _values.TryGetValue(argument, out var given) ? (argument, given.Value, given.Origin) : (argument, argument.Default, "default"));

    /// <summary>A copy in which some values are others.</summary>
    internal ArgumentValues With(IEnumerable<KeyValuePair<Argument, object?>> changed)
    {
        var copy = new ArgumentValues(verb, Texts);
        foreach (var (argument, (value, origin)) in _values) copy.Set(argument, value, origin);
        foreach (var (argument, value) in changed) copy.Set(argument, value, "search");
        return copy;
    }

    /// <summary>A record with the values given and its own defaults.</summary>
    internal T Create<T>() where T : new()
    {
        var table = ArgumentTable.Of<T>();
        var own = new Dictionary<Argument, object?>();
        foreach (var (argument, (value, _)) in _values)
            if (table.All.Contains(argument)) own.Add(argument, value);
        return table.Create<T>(own);
    }

    private Argument Find(string name) => verb.Arguments.First(argument => argument.Name == name);
}
