using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Training;

/// <summary>One argument of a record of arguments: all that the command line, the JSON files and the docs say of it.</summary>
public sealed class Argument
{
    private readonly PropertyInfo _property;
    private readonly Type _type;
    private readonly Lazy<bool> _isOptional;
    private readonly object _defaults;
    private readonly Lazy<IReadOnlyDictionary<string, SourceComment>> _comments;

    internal Argument(PropertyInfo property, object defaults, Lazy<IReadOnlyDictionary<string, SourceComment>> comments)
    {
        (_property, _defaults, _comments) = (property, defaults, comments);
        _type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        _isOptional = new(() => new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable);
        Name = Spell(property.Name);
        Alias = property.GetCustomAttribute<ArgumentAliasAttribute>()?.Name;
    }

    /// <summary>Name in JSON files and in transformers, for example <c>eval_strategy</c>.</summary>
    public string Name { get; }

    /// <summary>Another name that is accepted, or null.</summary>
    public string? Alias { get; }

    /// <summary>Name on the command line, for example <c>--eval-strategy</c>; the form with underscores is accepted too.</summary>
    public string Option => "--" + Name.Replace('_', '-');

    /// <summary>What it does, in one or two sentences.</summary>
    public string Help => Comment.Summary;

    /// <summary>Unit, range and default in words.</summary>
    public string Value => Comment.Value;

    /// <summary>What it is about, where its record has several themes, such as Tuning; empty for the first.</summary>
    public string Theme => Comment.Theme;

    /// <summary>The value where nothing is given.</summary>
    public object? Default => Read(_defaults);

    /// <summary>The type of its value; of an optional one, the type without null.</summary>
    public Type Type => _type;

    /// <summary>Whether it is a switch: true or false, and the option alone means true.</summary>
    public bool IsSwitch => _property.PropertyType == typeof(bool);

    /// <summary>Whether it is true, false, or neither where it is not given; the option alone means true here too.</summary>
    public bool IsOptionalSwitch => _property.PropertyType == typeof(bool?);

    /// <summary>Whether several values may follow the option.</summary>
    public bool IsList => _type == typeof(IReadOnlyList<string>);

    /// <summary>The words allowed, for an argument that has a fixed set of them; else empty.</summary>
    public IReadOnlyList<string> Choices => _type.IsEnum ? [.. Enum.GetNames(_type).Select(Spell)] : [];

    /// <summary>Reads a value from text, as it stands on a command line. A list is separated by commas.</summary>
    /// <exception cref="AttuneException">The text is not a value of this argument.</exception>
    public object? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // A text or a list may be the very word: report_to none.
        if (_isOptional.Value && _type != typeof(string) && !IsList && text.ToLowerInvariant() is ("none" or "null")) return null;
        var number = decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) ? exact : (decimal?)null;
        if (_type == typeof(string)) return text;
        if (IsList) return text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (_type.IsEnum && Array.Find(Enum.GetNames(_type), name => Spell(name) == text || IsAlias(name, text)) is { } word) return Enum.Parse(_type, word);
        if (_type == typeof(bool) && Truth(text) is { } truth) return truth;
        if (_type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)) return real;
        if (_type == typeof(long) && number is { } whole && decimal.IsInteger(whole) && Fits(whole, long.MinValue, long.MaxValue)) return (long)whole;
        if (_type == typeof(int) && number is { } small && decimal.IsInteger(small) && Fits(small, int.MinValue, int.MaxValue)) return (int)small;
        if (_type == typeof(TimeSpan) && Duration.TryParse(text, out var time)) return time;
        if (_type == typeof(JsonObject)) return ParseObject(text);
        throw Unfit(text);
    }

    /// <summary>Reads a value from JSON.</summary>
    /// <exception cref="AttuneException">It is not a value of this argument.</exception>
    public object? Parse(JsonNode? json) => json switch
    {
        null => _isOptional.Value ? null : throw Unfit("null"),
        JsonObject given when _type == typeof(JsonObject) => given.DeepClone(),
        JsonObject given when _property.IsDefined(typeof(ArgumentMayBeObjectAttribute)) => PythonJson.Write(given, ensureAscii: false),
        JsonArray given when IsList => given.Select(item => item?.ToString() ?? "").ToArray(),
        JsonValue given when given.GetValueKind() == JsonValueKind.String && _type != typeof(JsonObject) => Parse(given.GetValue<string>()),
        JsonValue given when given.GetValueKind() is JsonValueKind.True or JsonValueKind.False && _type == typeof(bool) => given.GetValue<bool>(),
        JsonValue given when given.GetValueKind() is JsonValueKind.True or JsonValueKind.False && _type == typeof(string) =>
            given.ToJsonString(),                                          // resume_from_checkpoint: true
        JsonValue given when given.GetValueKind() == JsonValueKind.Number => Parse(given.ToJsonString()),
        _ => throw Unfit(json.ToJsonString()),
    };

    /// <summary>Its value in a record of arguments.</summary>
    public object? Read(object arguments) => _property.GetValue(arguments);

    /// <summary>A value as JSON.</summary>
    public static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        JsonObject given => given.DeepClone(),
        IEnumerable<string> list => new JsonArray([.. list.Select(item => (JsonNode)item)]),
        Enum word => Spell(word.ToString()),
        _ => JsonSerializer.SerializeToNode(value, value.GetType()),
    };

    private SourceComment Comment => _comments.Value.GetValueOrDefault(_property.Name, new SourceComment("", "", ""));

    internal void Write(object arguments, object? value) => _property.SetValue(arguments, value);

    /// <summary>A name of C# in snake case: <c>AdamBeta1</c> is <c>adam_beta1</c>.</summary>
    internal static string Spell(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        foreach (var letter in name)
        {
            if (char.IsAsciiLetterUpper(letter) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(letter));
        }
        return text.ToString();
    }

    private bool IsAlias(string word, string text) =>
        _type.GetField(word)!.GetCustomAttributes<ArgumentAliasAttribute>().Any(alias => alias.Name == text);

    private static bool? Truth(string text) => text.ToLowerInvariant() switch
    {
        "yes" or "true" or "t" or "y" or "1" => true,
        "no" or "false" or "f" or "n" or "0" => false,
        _ => null,
    };

    private static bool Fits(decimal value, long least, long most) => value >= least && value <= most;

    private JsonObject ParseObject(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw Unfit(text);
        }
        catch (JsonException)
        {
            throw Unfit(text);
        }
    }

    private AttuneException Unfit(string text) =>
        _type.GetCustomAttributes<RefusedWordsAttribute>().FirstOrDefault(refused => refused.Words.Contains(text)) is { } why
            ? new($"{Name} {text} is not available: {why.Reason}.") : Unknown(text);

    private AttuneException Unknown(string text) => new(
        $"{Name} is {text}; it must be " + (
            _type.IsEnum ? "one of " + string.Join(", ", Choices)
            : _type == typeof(bool) ? "true or false"
            : _type == typeof(JsonObject) ? "a JSON object, for example {\"num_cycles\": 2}"
            : _type == typeof(double) ? "a number"
            : _type == typeof(TimeSpan) ? "a time above 0, such as 45s, 90m, 2h30m or 02:30:00"
            : _type == typeof(string) || IsList ? "text"
            : "a whole number") + ".");
}
