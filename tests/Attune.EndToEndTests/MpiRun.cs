using System.Diagnostics;
using System.Text;

namespace Attune.EndToEndTests;

/// <summary>The built program, started as several processes by an MPI launcher.</summary>
internal sealed class MpiRun : IDisposable
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "Attune.Cli");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _out = new(), _error = new();

    private MpiRun(string folder, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["HF_HOME"] = Path.Combine(folder, "hf-home");
        start.Environment["HF_HUB_OFFLINE"] = "1";
        start.Environment["OMP_NUM_THREADS"] = "1";
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(_out, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
    }

    /// <summary>The launchers that are installed here under their own names, as on Debian, where several can be.</summary>
    internal static IReadOnlyList<string> Launchers { get; } = [.. new[] { "mpirun.openmpi", "mpirun.mpich" }.Where(IsThere)];

    /// <summary>What both streams have said so far; mpirun mixes them as it likes.</summary>
    internal string Said
    {
        get
        {
            lock (_error) return _error.ToString() + Copy(_out);
        }
    }

    internal int Id => _process.Id;

    /// <summary>Skips a test where a launcher is missing.</summary>
    internal static void Require(string launcher) => Assert.SkipUnless(OperatingSystem.IsLinux() && IsThere(launcher), $"{launcher} is not installed here.");

    internal static MpiRun Start(string folder, string launcher, int processes, string[] words, string[]? options = null) =>
        new(folder, [launcher, .. Options(launcher), .. options ?? [], "-np", $"{processes}", Executable, .. words]);

    /// <summary>Starts it by <c>attune launch</c>.</summary>
    internal static MpiRun Launch(string folder, string[] options, params string[] words) => new(folder, [Executable, "launch", .. options, "--", .. words]);

    internal static Result Run(string folder, string launcher, int processes, params string[] words)
    {
        using var run = Start(folder, launcher, processes, words);
        return run.Wait();
    }

    /// <summary>The numbers of its processes, by rank as far as the order of their starts says.</summary>
    internal int[] Ranks(string outputDir) =>
    [
        .. Directory.GetDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0).Where(id => id > 0 && Rank(id, outputDir) >= 0)
            .OrderBy(id => Rank(id, outputDir)),
    ];

    /// <summary>Waits until it says something.</summary>
    internal void WaitFor(string text)
    {
        var watch = Stopwatch.StartNew();
        while (!Said.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(_process.HasExited, $"It ended before it said \"{text}\": {Said}");
            Assert.True(watch.Elapsed < Patience, $"It never said \"{text}\": {Said}");
            Thread.Sleep(20);
        }
    }

    internal static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", ["-" + name, $"{process}"]);
        kill.WaitForExit();
    }

    internal Result Wait()
    {
        Assert.True(_process.WaitForExit(Patience), $"It does not end: {Said}");
        _process.WaitForExit();
        return new Result(_process.ExitCode, Copy(_out), Copy(_error));
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static string[] Options(string launcher) => launcher.Contains("openmpi", StringComparison.Ordinal) ? ["--oversubscribe", "--allow-run-as-root", "--bind-to", "none"] : [];

    private static bool IsThere(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>The rank of a process that trains into a folder; -1 of any other.</summary>
    private static int Rank(int process, string outputDir)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
            if (words[0] != Executable || !words.Contains(outputDir) || words.Contains("launch")) return -1;
            var variable = File.ReadAllText($"/proc/{process}/environ").Split('\0').First(one => one.StartsWith("OMPI_COMM_WORLD_RANK=", StringComparison.Ordinal) || one.StartsWith("PMI_RANK=", StringComparison.Ordinal));
            return int.Parse(variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return -1;
        }
    }

    private static string Copy(StringBuilder text)
    {
        lock (text) return text.ToString();
    }

    private static void Add(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (text) text.Append(line).Append('\n');
    }
}
