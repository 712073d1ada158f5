using Attune.Training;

namespace Attune.Cli;

/// <summary>One verb of the command: what it is called, what it takes, what it does.</summary>
/// <param name="Name">As it is typed.</param>
/// <param name="Summary">One sentence for the help.</param>
/// <param name="Texts">Name and meaning of the words without option that it takes; null where it takes none.</param>
/// <param name="Groups">Its options, by headings of the help.</param>
/// <param name="Run">Gives the exit code.</param>
internal sealed record Verb(
    string Name, string Summary, (string Name, string Help)? Texts, IReadOnlyList<OptionGroup> Groups, Func<ArgumentValues, Terminal, int> Run)
{
    /// <summary>All its arguments.</summary>
    internal IEnumerable<Argument> Arguments => Groups.SelectMany(group => group.Table.All);

    /// <summary>Its options under the headings of the help: one for each theme of a group.</summary>
    internal IEnumerable<(string Heading, IEnumerable<Argument> Arguments)> Headings =>
        from options in Groups
        from theme in options.Table.ByTheme
        select (theme.Key.Length == 0 ? options.Heading : $"{options.Heading.Split(',')[0]}: {theme.Key.ToLowerInvariant()}", theme.AsEnumerable());

    /// <summary>Lines of the help that show its use.</summary>
    internal IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Whether several processes can do it together.</summary>
    internal bool IsForSeveral { get; init; }

    /// <summary>Fills in what follows from the arguments given, for who only wants to see them.</summary>
    internal Action<ArgumentValues> Complete { get; init; } = _ => { };

    /// <summary>Whether it takes transformers' other arguments too, to say what becomes of them.</summary>
    internal bool TakesOtherTrainingArguments => Groups.Any(group => group.Table == ArgumentTable.Of<TrainingArguments>());
}

/// <summary>Options that belong together.</summary>
internal sealed record OptionGroup(string Heading, ArgumentTable Table);
