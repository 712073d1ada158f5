using System.CommandLine;
using System.CommandLine.Completions;
using Attune.Formats;

namespace Attune.Cli;

/// <summary>The command as a whole: finds the verb, runs it, and turns what goes wrong into one line and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>The verbs; a new one is one file and one line here.</summary>
    internal static readonly IReadOnlyList<Verb> Verbs =
    [
        TrainCommand.Verb, EvaluateCommand.Verb, PredictCommand.Verb, TokenizeCommand.Verb, DoctorCommand.Verb,
    ];

    internal static int Run(IReadOnlyList<string> words, Terminal terminal)
    {
        try
        {
            var code = Invoke(words, terminal);
            terminal.Out.Flush();                              // what cannot be written is not a success
            return code;
        }
        catch (UsageException e)
        {
            terminal.Note("attune: " + e.Message);
            return ExitCode.Usage;
        }
        catch (AttuneException e)
        {
            terminal.Note("attune: " + e.Message);
            return ExitCode.Failure;
        }
        catch (IOException e) when (e.HResult == Terminal.BrokenPipe)
        {
            return ExitCode.Success;                           // "attune predict … | head": the reader has what it wants
        }
        catch (IOException e) when (AtomicFile.IsDiskFull(e.HResult))
        {
            terminal.Note("attune: standard output cannot be written: no space is left on the disk; free some space or write to another disk.");
            return ExitCode.Failure;
        }
        catch (UnauthorizedAccessException e) when (e.InnerException is IOException { HResult: Terminal.BadDescriptor })
        {
            terminal.Note("attune: standard output is closed; leave it open, or send it to a file.");
            return ExitCode.Failure;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            terminal.Note($"attune: this is a fault of Attune {HelpText.Version}, not yours; please report it with the lines below.");
            terminal.Note(e.ToString());
            return ExitCode.Failure;
        }
        finally
        {
            terminal.Flush();
        }
    }

    private static int Invoke(IReadOnlyList<string> words, Terminal terminal)
    {
        var root = new RootCommand();
        root.Options.Clear();                                  // help and version are answered below, before anything is parsed
        var parsers = Verbs.ToDictionary(verb => verb.Name, verb => new VerbParser(verb));
        foreach (var parser in parsers.Values) root.Add(parser.Command);
        if (words is [['[', .., ']'], ..] && root.Directives.OfType<SuggestDirective>().Any())
            return root.Parse(words).Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });

        if (words is [] or ["--help" or "-h" or "-?" or "help"]) return Print(HelpText.Overview(Verbs, terminal.Width), terminal);
        if (words is ["--version" or "version"]) return Print($"attune {HelpText.Version}", terminal);
        if (words is ["help", var wanted]) words = [wanted, "--help"];
        if (!parsers.TryGetValue(words[0], out var chosen)) throw Unknown(words[0], parsers.Keys);
        if (words.Skip(1).TakeWhile(word => word != "--").Any(word => word is "--help" or "-h" or "-?"))
            return Print(HelpText.Of(chosen.Verb, terminal.Width), terminal);
        return chosen.Verb.Run(chosen.Parse(root, words), terminal);
    }

    private static UsageException Unknown(string word, IEnumerable<string> verbs) => new(word.StartsWith('-')
        ? $"the first word must be a verb, such as \"attune train {word}\"; see attune --help."
        : $"there is no verb \"{word}\".{Spelling.DidYouMean(word, verbs)} See attune --help.");

    private static int Print(string text, Terminal terminal)
    {
        terminal.Result(text);
        return ExitCode.Success;
    }
}
