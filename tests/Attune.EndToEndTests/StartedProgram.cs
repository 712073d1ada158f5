using System.Collections;
using System.Diagnostics;
using System.Text;

namespace Attune.EndToEndTests;

/// <summary>The built program while it runs, by itself or under another that starts it: what it says, and how it ends.</summary>
internal sealed class StartedProgram : IDisposable
{
    /// <summary>The program.</summary>
    internal static readonly string Executable = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Attune.Cli.exe" : "Attune.Cli");

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // As it was before any test set something for what it runs in this process.
    private static readonly Dictionary<string, string?> Own = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(one => (string)one.Key, one => (string?)one.Value);

    private readonly Process _process;
    private readonly StringBuilder _out = new(), _error = new();

    /// <param name="folder">In which it runs.</param>
    /// <param name="command">All its words.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="environment">Variables besides those of the test.</param>
    /// <param name="closesInput">Whether its standard input ends.</param>
    internal StartedProgram(string folder, string[] command, string? input = null, IEnumerable<(string Name, string Value)>? environment = null, bool closesInput = true)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment.Clear();
        foreach (var (name, value) in Own) start.Environment[name] = value;
        foreach (var (name, value) in Environment(folder, environment)) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(_out, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Write(input ?? "");
        if (closesInput) _process.StandardInput.Close();
        else _process.StandardInput.Flush();
    }

    /// <summary>Its number.</summary>
    internal int Id => _process.Id;

    internal bool HasEnded => _process.HasExited;

    /// <summary>What it has written to standard error so far.</summary>
    internal string Error => Copy(_error);

    /// <summary>The same of both streams; a launcher mixes them as it likes.</summary>
    internal string Said => Copy(_error) + Copy(_out);

    /// <summary>The variables by which it differs from the tests: nothing of the machine's own hub cache, and nothing of the hub, as a test must not depend on what was downloaded or could be.</summary>
    /// <param name="folder">In which it runs.</param>
    /// <param name="further">What a test wants besides.</param>
    internal static IReadOnlyDictionary<string, string> Environment(string folder, IEnumerable<(string Name, string Value)>? further)
    {
        var variables = new Dictionary<string, string> { ["HF_HOME"] = Path.Combine(folder, "hf-home"), ["HF_HUB_OFFLINE"] = "1" };
        foreach (var (name, value) in further ?? []) variables[name] = value;
        return variables;
    }

    /// <summary>A variable of the tests themselves; null where it is not set.</summary>
    internal static string? OwnVariable(string name) => Own.GetValueOrDefault(name);

    /// <summary>Waits until it says something, on standard error or, where a launcher mixes the streams, on either.</summary>
    internal void WaitFor(string text, bool onEither = false)
    {
        var watch = Stopwatch.StartNew();
        while (!(onEither ? Said : Error).Contains(text, StringComparison.Ordinal))
        {
            Assert.False(_process.HasExited, $"It ended before it said \"{text}\": {Said}");
            Assert.True(watch.Elapsed < Patience, $"It never said \"{text}\": {Said}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Sends a process a signal, such as INT or TERM.</summary>
    internal static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", ["-" + name, process.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end.</summary>
    internal Result Wait()
    {
        Assert.True(_process.WaitForExit(Patience), $"It does not end: {Said}");
        _process.WaitForExit();                                // also for the last lines
        return new Result(_process.ExitCode, Copy(_out), Copy(_error));
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
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

/// <summary>How a run of the program ended.</summary>
internal sealed record Result(int Code, string Out, string Error)
{
    /// <summary>Both streams, where a launcher mixes them.</summary>
    internal string Said => Error + Out;

    /// <summary>Itself, if it ended well.</summary>
    internal Result Good()
    {
        Assert.True(Code == 0, $"exit code {Code}\n{Error}\n{Out}");
        return this;
    }
}
