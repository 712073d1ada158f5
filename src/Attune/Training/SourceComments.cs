using System.Xml.Linq;

namespace Attune.Training;

/// <summary>The comments of a record's properties, read from its embedded source file.</summary>
internal static class SourceComments
{
    /// <summary>For each property its summary and its value, as plain text.</summary>
    internal static IReadOnlyDictionary<string, (string Summary, string Value)> Of(Type type)
    {
        using var stream = type.Assembly.GetManifestResourceStream(type.Name + ".cs")
            ?? throw new InvalidOperationException($"{type.Assembly.GetName().Name} does not embed {type.Name}.cs");
        using var reader = new StreamReader(stream);
        var comments = new Dictionary<string, (string, string)>();
        var comment = "";
        while (reader.ReadLine()?.Trim() is { } line)
        {
            if (line.StartsWith("///", StringComparison.Ordinal)) comment += line[3..] + "\n";
            else if (line.StartsWith('[')) continue;
            else
            {
                if (PropertyName(line) is { } name && comment.Length > 0) comments[name] = Parse(comment);
                comment = "";
            }
        }
        return comments;
    }

    private static string? PropertyName(string line)
    {
        var accessors = line.IndexOf(" { get;", StringComparison.Ordinal);
        return accessors < 0 ? null : line[(line.LastIndexOf(' ', accessors - 1) + 1)..accessors];
    }

    private static (string, string) Parse(string comment)
    {
        var root = XElement.Parse($"<comment>{comment}</comment>", LoadOptions.PreserveWhitespace);
        return (Text(root.Element("summary")), Text(root.Element("value")));
    }

    private static string Text(XElement? element)
    {
        var text = string.Concat((element?.Nodes() ?? []).Select(node => node switch
        {
            XElement reference when reference.Attribute("cref") is { Value: var target } => Argument.Spell(target[(target.LastIndexOf('.') + 1)..]),
            XElement inner => inner.Value,
            XText words => words.Value,
            _ => "",
        }));
        return string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
