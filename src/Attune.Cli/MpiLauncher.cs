using System.Diagnostics;

namespace Attune.Cli;

/// <summary>An mpirun: its file, and of which MPI it is, for each takes other options.</summary>
/// <param name="File">The program.</param>
/// <param name="Kind">Whose it is.</param>
internal sealed record MpiLauncher(string File, MpiLauncherKind Kind)
{
    internal const int SigTerm = 15;

    private static readonly string[] Names = ["mpirun", "mpiexec", "mpiexec.hydra"];

    /// <summary>The signal that it hands on to its processes so that they stop with a checkpoint: after SIGTERM Open MPI kills them at once, and Hydra knows no SIGUSR2.</summary>
    internal int StopSignal => Kind == MpiLauncherKind.OpenMpi ? SaveOnSignal.StopNumber : SigTerm;

    /// <summary>Finds it and asks it what it is.</summary>
    /// <param name="named">A name or a file; null looks for the usual names.</param>
    /// <exception cref="AttuneException">There is none.</exception>
    internal static MpiLauncher Find(string? named)
    {
        foreach (var name in named is null ? Names : [named])
            if (Version(name) is { } version) return new MpiLauncher(name, KindOf(version));
        throw new AttuneException(named is null
            ? "attune launch needs mpirun, and PATH has none; install Open MPI (apt install openmpi-bin) or MPICH (apt install mpich)."
            : $"{named} cannot be started; name the launcher of an installed MPI by --mpirun.");
    }

    /// <summary>Whose a launcher is, by what it says of its version.</summary>
    internal static MpiLauncherKind KindOf(string version) =>
        version.Contains("Open MPI", StringComparison.Ordinal) || version.Contains("OpenRTE", StringComparison.Ordinal) || version.Contains("PRRTE", StringComparison.Ordinal) ? MpiLauncherKind.OpenMpi
        : MpiLauncherKind.Hydra;

    /// <summary>Its options before the program.</summary>
    /// <param name="processes">How many; null leaves it to the hostfile.</param>
    /// <param name="hostfile">Names the machines; null for this one.</param>
    /// <param name="cores">Of this machine.</param>
    internal IEnumerable<string> Words(int? processes, string? hostfile, int cores)
    {
        if (processes is { } count)
        {
            yield return Kind == MpiLauncherKind.OpenMpi ? "-np" : "-n";
            yield return $"{count}";
        }
        if (Kind == MpiLauncherKind.Hydra)
        {
            foreach (var word in hostfile is null ? [] : new[] { "-f", hostfile }) yield return word;
            yield break;
        }
        foreach (var word in hostfile is null ? [] : new[] { "--hostfile", hostfile, "--map-by", "node" }) yield return word;
        if (hostfile is null && processes > cores) yield return "--oversubscribe";
        // Every process uses several cores; which ones, the system knows better than a rule that is made for one.
        foreach (var word in (string[])["--bind-to", "none"]) yield return word;
        // Who runs this as root has said so already; containers do.
        if (Environment.IsPrivilegedProcess) yield return "--allow-run-as-root";
    }

    private static string? Version(string name)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(name, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true });
            if (process is null) return null;
            process.ErrorDataReceived += (_, _) => { };                     // read, so that nobody waits for room in the pipe
            process.BeginErrorReadLine();
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return text;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}

/// <summary>Whose an mpirun is.</summary>
internal enum MpiLauncherKind
{
    /// <summary>Open MPI's.</summary>
    OpenMpi,
    /// <summary>Hydra, which MPICH, Intel MPI and MVAPICH have.</summary>
    Hydra,
}
