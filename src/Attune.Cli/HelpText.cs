using System.Text;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The help, made from the verbs and the tables of their arguments.</summary>
internal static class HelpText
{
    private const int Indent = 2, NameColumns = 36;

    /// <summary>What <c>attune --help</c> says.</summary>
    internal static string Overview(IReadOnlyList<Verb> verbs, int width)
    {
        var text = new StringBuilder();
        text.Append($"Attune {AttuneVersion.Text}: fine-tunes BERT-family encoders for text classification.\n\nUsage: attune VERB [options]\n\nVerbs:\n");
        foreach (var verb in verbs) Entry(text, verb.Name, verb.Summary, 12, width);
        Entry(text, "--help", "This text; attune VERB --help shows the options of a verb.", 12, width);
        Entry(text, "--version", "The version.", 12, width);
        text.Append('\n');
        Wrapped(text, "attune train without any option trains the embedded encoder on the embedded data set, without a network.", 0, width);
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>What <c>attune VERB --help</c> says.</summary>
    internal static string Of(Verb verb, int width)
    {
        var text = new StringBuilder();
        Wrapped(text, verb.Summary, 0, width);
        text.Append($"\nUsage: attune {verb.Name} [options]{(verb.Texts is { } texts ? $" [{texts.Name}]..." : "")}\n");
        foreach (var example in verb.Examples) text.Append($"       {example}\n");
        if (verb.Texts is { } words)
        {
            text.Append('\n');
            Entry(text, words.Name, words.Help, NameColumns, width);
        }
        foreach (var (heading, arguments) in verb.Headings)
        {
            text.Append('\n');
            Wrapped(text, heading + ":", 0, width);
            foreach (var argument in arguments) Entry(text, Heading(argument), $"{argument.Help} {argument.Value}", NameColumns, width);
        }
        text.Append('\n');
        Entry(text, "--config FILE", "Takes arguments from a file, JSON or YAML (.yaml), by their names with underscores. It may be given several times: later files win, " +
            "and options of the command line over all.", NameColumns, width);
        Entry(text, "--print-config", "Prints every argument with its value and where that comes from, as a file for --config, and does nothing else.", NameColumns, width);
        text.Append('\n');
        Wrapped(text, "Options may be spelled with underscores too (--learning_rate). A word -- ends the options.", 0, width);
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>Breaks a line between its words.</summary>
    internal static string Wrap(string line, int width)
    {
        if (line.Length <= width || line.Contains('\n', StringComparison.Ordinal)) return line;
        var text = new StringBuilder();
        Wrapped(text, line, 0, width);
        return text.ToString().TrimEnd('\n');
    }

    private static string Heading(Argument argument)
    {
        var value = argument.IsSwitch ? ""
            : argument.Choices is [_, ..] ? $" {argument.Name.Split('_')[^1].ToUpperInvariant()}"
            : argument.IsList ? " A [B ...]"
            : argument.Type == typeof(int) || argument.Type == typeof(long) ? " N"
            : argument.Type == typeof(double) ? " X"
            : argument.IsOptionalSwitch ? " [true|false]"
            : argument.Type == typeof(string) ? " TEXT" : " JSON";
        return (argument.IsSwitch && argument.Default is true ? "--[no-]" + argument.Option[2..] : argument.Option) + value;
    }

    private static void Entry(StringBuilder text, string name, string meaning, int columns, int width)
    {
        text.Append(' ', Indent).Append(name);
        var start = Indent + columns;
        // On a narrow terminal the meaning stands below the name.
        if (width < 2 * columns) (start, _) = (Indent + 4, text.Append('\n').Append(' ', Indent + 4));
        else if (name.Length >= columns) text.Append('\n').Append(' ', start);
        else text.Append(' ', columns - name.Length);
        Wrapped(text, meaning, start, width);
    }

    /// <summary>Breaks lines at spaces; the first line goes on where the text stands.</summary>
    private static void Wrapped(StringBuilder text, string words, int start, int width)
    {
        var column = start;
        foreach (var word in words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (column > start && column + 1 + word.Length > Math.Min(width, 120))
            {
                text.Append('\n').Append(' ', start);
                column = start;
            }
            else if (column > start)
            {
                text.Append(' ');
                column++;
            }
            text.Append(word);
            column += word.Length;
        }
        text.Append('\n');
    }
}
