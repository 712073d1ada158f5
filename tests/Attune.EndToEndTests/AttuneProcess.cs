using System.Diagnostics;
using System.Text;

namespace Attune.EndToEndTests;

/// <summary>The built program, run as a process of its own.</summary>
internal sealed class AttuneProcess : IDisposable
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Attune.Cli.exe" : "Attune.Cli");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _out = new(), _error = new();

    private AttuneProcess(string folder, IEnumerable<string> words, string? input, IReadOnlyDictionary<string, string>? environment, string[]? under = null)
    {
        string[] all = [.. under ?? [], Executable, .. words];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        // Nothing of the machine's own hub cache, and nothing of the hub: a test must not depend on what was downloaded or could be.
        start.Environment["HF_HOME"] = Path.Combine(folder, "hf-home");
        start.Environment["HF_HUB_OFFLINE"] = "1";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(_out, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Write(input ?? "");
        _process.StandardInput.Close();
    }

    /// <summary>What it has written to standard error so far.</summary>
    internal string Error
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    /// <summary>Its number.</summary>
    internal int Id => _process.Id;

    /// <summary>Starts it without waiting.</summary>
    internal static AttuneProcess Start(string folder, params string[] words) => new(folder, words, null, null);

    /// <summary>Starts it with further variables of the environment, without waiting.</summary>
    internal static AttuneProcess Start(string folder, string[] words, params (string Name, string Value)[] environment) => new(folder, words, null, environment.ToDictionary());

    /// <summary>Runs it to its end.</summary>
    internal static Result Run(string folder, params string[] words) => Run(folder, words, null);

    /// <summary>Runs it to its end with standard input and further variables of the environment.</summary>
    internal static Result Run(string folder, string[] words, string? input, params (string Name, string Value)[] environment)
    {
        using var process = new AttuneProcess(folder, words, input, environment.ToDictionary());
        return process.Wait();
    }

    /// <summary>Runs it under another program, such as one that traces it.</summary>
    internal static Result RunUnder(string folder, string[] under, string[] words)
    {
        using var process = new AttuneProcess(folder, words, null, null, under);
        return process.Wait();
    }

    /// <summary>Waits until standard error says something.</summary>
    internal void WaitFor(string text)
    {
        var watch = Stopwatch.StartNew();
        while (!Error.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(_process.HasExited, $"It ended before it said \"{text}\": {Error}");
            Assert.True(watch.Elapsed < Patience, $"It never said \"{text}\": {Error}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Sends a signal, such as INT or TERM.</summary>
    internal void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end.</summary>
    internal Result Wait()
    {
        Assert.True(_process.WaitForExit(Patience), $"It does not end: {Error}");
        _process.WaitForExit();                                // also for the last lines
        lock (_out) return new Result(_process.ExitCode, _out.ToString(), Error);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
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
    /// <summary>Itself, if it ended well.</summary>
    internal Result Good()
    {
        Assert.True(Code == 0, $"exit code {Code}\n{Error}\n{Out}");
        return this;
    }
}
