namespace Attune.EndToEndTests;

/// <summary>The built program, started as several processes by an MPI launcher.</summary>
internal sealed class MpiRun : IDisposable
{
    private readonly StartedProgram _program;

    private MpiRun(string folder, string[] command) => _program = new StartedProgram(folder, command, environment: [("OMP_NUM_THREADS", "1")]);

    /// <summary>The launchers that are installed here under their own names, as on Debian, where several can be.</summary>
    internal static IReadOnlyList<string> Launchers { get; } = [.. new[] { "mpirun.openmpi", "mpirun.mpich" }.Where(IsThere)];

    /// <inheritdoc cref="StartedProgram.Said"/>
    internal string Said => _program.Said;

    /// <inheritdoc cref="StartedProgram.Id"/>
    internal int Id => _program.Id;

    internal bool HasEnded => _program.HasEnded;

    /// <summary>Skips a test where a launcher is missing.</summary>
    internal static void Require(string launcher) => Assert.SkipUnless(OperatingSystem.IsLinux() && IsThere(launcher), $"{launcher} is not installed here.");

    /// <summary>Starts it without waiting.</summary>
    /// <param name="folder">In which it runs.</param>
    /// <param name="launcher">Starts it.</param>
    /// <param name="processes">How many.</param>
    /// <param name="words">Verb and options.</param>
    /// <param name="options">Of the launcher, besides the usual.</param>
    /// <param name="under">Starts the launcher.</param>
    internal static MpiRun Start(string folder, string launcher, int processes, string[] words, string[]? options = null, string[]? under = null) =>
        new(folder, [.. under ?? [], launcher, .. Options(launcher), .. options ?? [], "-np", $"{processes}", StartedProgram.Executable, .. words]);

    /// <summary>Starts it by <c>attune launch</c>.</summary>
    internal static MpiRun Launch(string folder, string[] options, params string[] words) => new(folder, [StartedProgram.Executable, "launch", .. options, "--", .. words]);

    /// <summary>Runs it to its end.</summary>
    internal static Result Run(string folder, string launcher, int processes, params string[] words)
    {
        using var run = Start(folder, launcher, processes, words);
        return run.Wait();
    }

    /// <summary>The numbers of its processes, by rank.</summary>
    internal static int[] Ranks(string outputDir) =>
    [
        .. Directory.GetDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0).Where(id => id > 0 && Rank(id, outputDir) >= 0)
            .OrderBy(id => Rank(id, outputDir)),
    ];

    /// <summary>Waits until it says something.</summary>
    internal void WaitFor(string text) => _program.WaitFor(text, onEither: true);

    internal Result Wait() => _program.Wait();

    public void Dispose() => _program.Dispose();

    private static string[] Options(string launcher) => launcher.Contains("openmpi", StringComparison.Ordinal) ? ["--oversubscribe", "--allow-run-as-root", "--bind-to", "none"] : [];

    /// <summary>Whether PATH has a program.</summary>
    internal static bool IsThere(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>The rank of a process that trains into a folder; -1 of any other.</summary>
    private static int Rank(int process, string outputDir)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
            if (words[0] != StartedProgram.Executable || !words.Contains(outputDir) || words.Contains("launch")) return -1;
            var variable = File.ReadAllText($"/proc/{process}/environ").Split('\0').First(one => one.StartsWith("OMPI_COMM_WORLD_RANK=", StringComparison.Ordinal) || one.StartsWith("PMI_RANK=", StringComparison.Ordinal));
            return int.Parse(variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return -1;
        }
    }
}
