using System.Xml.Linq;

namespace Attune.Training;

/// <summary>The comment of a property, read from the embedded source file of its record.</summary>
/// <param name="Summary">What it is, as plain text.</param>
/// <param name="Value">Its unit, range and default, as plain text.</param>
internal sealed record SourceComment(string Summary, string Value)
{
    /// <summary>The comments of a type's properties by their names.</summary>
    internal static IReadOnlyDictionary<string, SourceComment> OfProperties(Type type)
    {
        using var stream = type.Assembly.GetManifestResourceStream(type.Name + ".cs")
            ?? throw new InvalidOperationException($"{type.Assembly.GetName().Name} does not embed {type.Name}.cs");
        using var reader = new StreamReader(stream);
        var comments = new Dictionary<string, SourceComment>();
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

    private static SourceComment Parse(string comment)
    {
        var root = XElement.Parse($"<comment>{comment}</comment>", LoadOptions.PreserveWhitespace);
        return new(Text(root.Element("summary")), Text(root.Element("value")));
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
