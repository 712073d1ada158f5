using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Training;

/// <summary>The arguments of a record, read from its properties and their comments: the one source of options, JSON keys, help and docs.</summary>
/// <remarks>
/// The source file of the record is embedded in its assembly under the name of the type, for the comments; a record in several files has
/// one for each theme (TrainingArguments.Tuning.cs). Everything is read on first use: the command names all its tables at every start and
/// looks into few.
/// </remarks>
public sealed class ArgumentTable
{
    private readonly Lazy<List<Argument>> _all;
    private readonly Lazy<Dictionary<string, Argument>> _byName;
    private readonly Type _type;

    private ArgumentTable(Type type) => (_type, _all, _byName) = (type, new(ReadProperties), new(IndexByName));

    /// <summary>The arguments in the order of the record.</summary>
    public IReadOnlyList<Argument> All => _all.Value;

    /// <summary>The table of a record of arguments.</summary>
    public static ArgumentTable Of<T>() where T : new() => Table<T>.Instance;

    /// <summary>The argument of a name, written in any of the accepted ways (<c>eval_strategy</c>, <c>--eval-strategy</c>); null where there is none.</summary>
    public Argument? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _byName.Value.GetValueOrDefault(name.TrimStart('-').Replace('-', '_'));
    }

    /// <summary>A record with the values given and the defaults of the rest.</summary>
    /// <param name="values">Values as <see cref="Argument.Parse(string)"/> gives them.</param>
    public T Create<T>(IEnumerable<KeyValuePair<Argument, object?>> values) where T : new()
    {
        ArgumentNullException.ThrowIfNull(values);
        if (typeof(T) != _type) throw new ArgumentException($"this is the table of {_type.Name}", nameof(values));
        object record = new T();
        foreach (var (argument, value) in values) argument.Write(record, value);
        return (T)record;
    }

    /// <summary>The names and values of a record, all of them, as JSON.</summary>
    public JsonObject ToJson(object arguments) =>
        new(All.Select(argument => KeyValuePair.Create(argument.Name, Argument.ToJson(argument.Read(arguments)))));

    /// <summary>The arguments by their themes, that without a name first.</summary>
    public IEnumerable<IGrouping<string, Argument>> ByTheme => All.GroupBy(argument => argument.Theme).OrderBy(theme => theme.Key.Length > 0);

    /// <summary>Arguments as a table for the docs.</summary>
    public static string ToMarkdown(IEnumerable<Argument> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var text = new StringBuilder("| option | JSON | meaning | value |\n|---|---|---|---|\n");
        foreach (var argument in arguments)
            text.Append(CultureInfo.InvariantCulture, $"| `{argument.Option}` | `{argument.Name}` | {Cell(argument.Help)} | {Cell(argument.Value)} |\n");
        return text.ToString();
    }

    private List<Argument> ReadProperties()
    {
        var defaults = Activator.CreateInstance(_type)!;
        var comments = new Lazy<IReadOnlyDictionary<string, SourceComment>>(() => SourceComment.OfProperties(_type));
        var all = new List<Argument>();
        foreach (var property in _type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            if (property.CanWrite) all.Add(new Argument(property, defaults, comments));
        return all;
    }

    private Dictionary<string, Argument> IndexByName()
    {
        var byName = new Dictionary<string, Argument>();
        foreach (var argument in All)
        {
            byName.Add(argument.Name, argument);
            if (argument.Alias is { } alias) byName.Add(alias, argument);
        }
        return byName;
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static class Table<T>
    {
        internal static readonly ArgumentTable Instance = new(typeof(T));
    }
}
