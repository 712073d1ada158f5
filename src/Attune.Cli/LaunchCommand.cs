using System.Diagnostics;
using System.Runtime.InteropServices;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune launch</c>: several processes of one command, by the mpirun of this machine.</summary>
internal static partial class LaunchCommand
{
    internal static Verb Verb { get; } = new(
        "launch", "Starts several processes that train, evaluate or predict together, by the mpirun of this machine.",
        ("COMMAND", "After --: the verb and its options, as without launch."),
        [new("Launch", ArgumentTable.Of<LaunchArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune launch --nproc 2 -- train --model bert-base-uncased --dataset glue/sst2", "attune launch --hostfile hosts --dry-run -- train"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<LaunchArguments>();
        if (values.Texts.Count == 0) throw new UsageException("attune launch needs the command to start, after --: attune launch --nproc 2 -- train.");
        if (!CommandLine.Verbs.Any(verb => verb.Name == values.Texts[0] && verb.IsForSeveral))
            throw new UsageException($"attune launch starts {string.Join(", ", CommandLine.Verbs.Where(verb => verb.IsForSeveral).Select(verb => verb.Name))} in several processes, not {values.Texts[0]}.");
        if (what.Nproc < 1) throw new UsageException($"nproc is {what.Nproc}; it must be at least 1.");
        if (what.Hostfile is { } file && !File.Exists(file)) throw new AttuneException($"{file} is not there; name the file with the machines by --hostfile.");
        var launcher = MpiLauncher.Find(what.Mpirun);
        var words = launcher.Words(what.Nproc ?? (what.Hostfile is null ? 1 : null), what.Hostfile, Environment.ProcessorCount);
        string[] command = [launcher.File, .. words, .. Program(), .. values.Texts];
        if (what.DryRun)
        {
            terminal.Result(string.Join(' ', command.Select(Quoted)));
            return ExitCode.Success;
        }
        return Start(launcher, command, terminal);
    }

    /// <summary>A word as a shell reads it.</summary>
    private static string Quoted(string word) => word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./=:,+%@".Contains(letter, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>How this program is started.</summary>
    private static string[] Program()
    {
        var process = Environment.ProcessPath ?? throw new AttuneException("The program's own file is not known, so it cannot be started again; give its command to mpirun yourself.");
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, Path.Combine(AppContext.BaseDirectory, "Attune.Cli.dll")] : [process];
    }

    /// <summary>Runs it with this terminal. SIGUSR1, which saves a checkpoint, and what stops with one are handed on by mpirun to all processes.</summary>
    private static int Start(MpiLauncher launcher, string[] command, Terminal terminal)
    {
        terminal.Flush();
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])) ?? throw new AttuneException($"{command[0]} cannot be started; name another launcher by --mpirun.");
        if (OperatingSystem.IsWindows())
        {
            process.WaitForExit();
            return process.ExitCode;
        }
        var stops = 0;
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var other = PosixSignalRegistration.Create((PosixSignal)SaveOnSignal.StopNumber, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);      // the terminal sends it to mpirun too
        using var save = PosixSignalRegistration.Create((PosixSignal)SaveOnSignal.Number, context => HandOn(context, SaveOnSignal.Number));
        process.WaitForExit();
        return process.ExitCode;

        // The first lets them write a checkpoint, the second ends them at once.
        void Stop(PosixSignalContext context) => HandOn(context, Interlocked.Increment(ref stops) == 1 ? launcher.StopSignal : MpiLauncher.SigTerm);

        void HandOn(PosixSignalContext context, int signal)
        {
            context.Cancel = true;
            _ = Kill(process.Id, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
