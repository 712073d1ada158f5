using System.CommandLine;
using Attune.Cli.Distillation;
using Attune.Cli.Experiments;
using Attune.Cli.Inspections;
using Attune.Cli.Pretraining;
using Attune.Cli.Reports;
using Attune.Formats;

namespace Attune.Cli;

/// <summary>The command as a whole: finds the verb, runs it, and turns what goes wrong into one line and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>The verbs; a new one is one file and one line here.</summary>
    internal static readonly IReadOnlyList<Verb> Verbs =
    [
        TrainCommand.Verb, PretrainCommand.Verb, DistillCommand.Verb, SweepCommand.Verb, CompareCommand.Verb, ReportCommand.Verb, SuspectsCommand.Verb,
        InspectCommand.Verb, EvaluateCommand.Verb, PredictCommand.Verb, ServeCommand.Verb, ExportCommand.Verb, ConvertCommand.Verb, TokenizeCommand.Verb,
        DownloadCommand.Verb, PushCommand.Verb, CacheCommand.Verb, LoginCommand.Verb, LaunchCommand.Verb, DoctorCommand.Verb, CompletionCommand.Verb,
    ];

    internal static int Run(IReadOnlyList<string> words, Terminal terminal)
    {
        var code = RunAndExplain(words, terminal, out var isInOrder);
        ProcessGroup.End(code, isInOrder, terminal);
        return code;
    }

    private static int RunAndExplain(IReadOnlyList<string> words, Terminal terminal, out bool isInOrder)
    {
        isInOrder = false;
        try
        {
            var code = Invoke(words, terminal);
            terminal.Out.Flush();                              // what cannot be written is not a success
            isInOrder = true;
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
        catch (StoppedException e)
        {
            terminal.Note(e.Message);
            isInOrder = e.IsOfAll;
            return e.Code;
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
            terminal.Note($"attune: this is a fault of Attune {AttuneVersion.Text}, not yours; please report it with the lines below.");
            terminal.Note(e.ToString());
            return ExitCode.Failure;
        }
        finally
        {
            terminal.Flush();
            Compute.End();
        }
    }

    private static int Invoke(IReadOnlyList<string> words, Terminal terminal)
    {
        if (words is [['[', .., ']'], ..]) return Suggest(words, terminal);
        if (words is [] or ["--help" or "-h" or "-?" or "help"]) return Print(HelpText.Overview(Verbs, terminal.Width), terminal);
        if (words is ["--version" or "version"]) return Print($"attune {AttuneVersion.Text}", terminal);
        if (words is ["help", var wanted]) words = [wanted, "--help"];
        var verb = Verbs.FirstOrDefault(verb => verb.Name == words[0]) ?? throw Unknown(words[0], Verbs.Select(verb => verb.Name));
        if (AsksForHelp(words)) return Print(HelpText.Of(verb, terminal.Width), terminal);
        var values = Parse(verb, words);
        if (!values.Create<OutputArguments>().Quiet)
            foreach (var notice in values.Notices) terminal.Tell(notice);
        if (!verb.IsForSeveral) ProcessGroup.RequireOne($"attune {verb.Name}");
        if (!values.AreOnlyShown) return verb.Run(values, terminal);
        verb.Complete(values);
        return Print(ConfigText.Of(values), terminal);
    }

    private static bool AsksForHelp(IReadOnlyList<string> words)
    {
        for (var i = 1; i < words.Count && words[i] != "--"; i++)
            if (words[i] is "--help" or "-h" or "-?") return true;
        return false;
    }

    private static ArgumentValues Parse(Verb verb, IReadOnlyList<string> words)
    {
        var parser = new VerbParser(verb);
        return parser.Parse(Root([parser]), words);
    }

    /// <summary>Answers the shell's completion.</summary>
    private static int Suggest(IReadOnlyList<string> words, Terminal terminal) =>
        Root([.. Verbs.Select(verb => new VerbParser(verb))]).Parse(words)
            .Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });

    private static RootCommand Root(IEnumerable<VerbParser> parsers)
    {
        var root = new RootCommand();
        root.Options.Clear();                                  // help and version are answered before anything is parsed
        foreach (var parser in parsers) root.Add(parser.Command);
        return root;
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
