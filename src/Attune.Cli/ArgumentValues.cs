using Attune.Training;

namespace Attune.Cli;

/// <summary>The arguments that were given, in a configuration file or on the command line, and the words without option.</summary>
internal sealed class ArgumentValues(Verb verb, IReadOnlyList<string> texts)
{
    private readonly Dictionary<Argument, object?> _values = [];

    /// <summary>The words without option.</summary>
    internal IReadOnlyList<string> Texts { get; } = texts;

    /// <summary>What should be said of arguments that have no effect here.</summary>
    internal List<string> Notices { get; } = [];

    /// <summary>The values given, by the arguments' names in JSON.</summary>
    internal IEnumerable<KeyValuePair<string, object?>> Given => _values.Select(pair => KeyValuePair.Create(pair.Key.Name, pair.Value));

    /// <summary>Whether an argument was given.</summary>
    internal bool Has(string name) => _values.ContainsKey(Find(name));

    /// <summary>Takes a value.</summary>
    internal void Set(Argument argument, object? value) => _values[argument] = value;

    /// <summary>Takes back a value, where there is one.</summary>
    internal void Forget(string name)
    {
        if (verb.Arguments.FirstOrDefault(argument => argument.Name == name) is { } argument) _values.Remove(argument);
    }

    /// <summary>A default that depends on other arguments: it gives way to what was given.</summary>
    internal void SetDefault(string name, object? value) => _values.TryAdd(Find(name), value);

    /// <summary>A copy in which some values are others.</summary>
    internal ArgumentValues With(IEnumerable<KeyValuePair<Argument, object?>> changed)
    {
        var copy = new ArgumentValues(verb, Texts);
        foreach (var (argument, value) in _values) copy.Set(argument, value);
        foreach (var (argument, value) in changed) copy.Set(argument, value);
        return copy;
    }

    /// <summary>A record with the values given and its own defaults.</summary>
    internal T Create<T>() where T : new()
    {
        var table = ArgumentTable.Of<T>();
        var own = new Dictionary<Argument, object?>();
        foreach (var (argument, value) in _values)
            if (table.All.Contains(argument)) own.Add(argument, value);
        return table.Create<T>(own);
    }

    private Argument Find(string name) => verb.Arguments.First(argument => argument.Name == name);
}
