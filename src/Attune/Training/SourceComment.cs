using System.Xml.Linq;

namespace Attune.Training;

/// <summary>The comment of a property, read from the embedded source files of its record.</summary>
/// <param name="Summary">What it is, as plain text.</param>
/// <param name="Value">Its unit, range and default, as plain text.</param>
/// <param name="Theme">Of the file where a record has several: Tuning for TrainingArguments.Tuning.cs; empty for TrainingArguments.cs.</param>
internal sealed record SourceComment(string Summary, string Value, string Theme)
{
    private const string Extension = ".cs";

    /// <summary>The comments of a type's properties by their names.</summary>
    internal static IReadOnlyDictionary<string, SourceComment> OfProperties(Type type)
    {
        var comments = new Dictionary<string, SourceComment>();
        foreach (var name in type.Assembly.GetManifestResourceNames())
            if (name.StartsWith(type.Name + ".", StringComparison.Ordinal) && name.EndsWith(Extension, StringComparison.Ordinal))
                Read(type.Assembly.GetManifestResourceStream(name)!, name[type.Name.Length..^Extension.Length].TrimStart('.'), comments);
        return comments.Count > 0 ? comments : throw new InvalidOperationException($"{type.Assembly.GetName().Name} does not embed {type.Name}.cs");
    }

    private static void Read(Stream source, string theme, Dictionary<string, SourceComment> comments)
    {
        using var reader = new StreamReader(source);
        var comment = "";
        while (reader.ReadLine()?.Trim() is { } line)
        {
            if (line.StartsWith("///", StringComparison.Ordinal)) comment += line[3..] + "\n";
            else if (line.StartsWith('[')) continue;
            else
            {
                if (PropertyName(line) is { } name && comment.Length > 0) comments[name] = Parse(comment, theme);
                comment = "";
            }
        }
    }

    private static string? PropertyName(string line)
    {
        var accessors = line.IndexOf(" { get;", StringComparison.Ordinal);
        return accessors < 0 ? null : line[(line.LastIndexOf(' ', accessors - 1) + 1)..accessors];
    }

    private static SourceComment Parse(string comment, string theme)
    {
        var root = XElement.Parse($"<comment>{comment}</comment>", LoadOptions.PreserveWhitespace);
        return new(Text(root.Element("summary")), Text(root.Element("value")), theme);
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
