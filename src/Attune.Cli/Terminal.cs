using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Cli;

/// <summary>Where results, notes and progress go, and where texts come from. Results go to <see cref="Out"/>, all else to <see cref="Error"/>.</summary>
/// <remarks>Built on plain streams: .NET's Console writes control codes into terminals that nobody asked it to write.</remarks>
internal sealed partial class Terminal(Func<TextReader> input, TextWriter output, TextWriter error, bool isLive, Func<int> width)
{
    /// <summary>Stands for bytes of the input that are not UTF-8.</summary>
    internal const char Invalid = '\uFFFE';

    /// <summary>The code of an error of a reader that has gone (EPIPE).</summary>
    internal const int BrokenPipe = 32;

    /// <summary>The code of an error of an output that is closed (EBADF).</summary>
    internal const int BadDescriptor = 9;

    private readonly Lazy<TextReader> _in = new(input);
    private const int DefaultWidth = 80, LeastWidth = 20;
    private const string ClearLine = "\r\x1b[K";
    private readonly Lock _lock = new();
    private string _status = "";

    // Several processes started together share one terminal: none of them may draw on it.
    private static readonly string[] Ranks = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"];

    /// <summary>Texts to read.</summary>
    internal TextReader In => _in.Value;

    /// <summary>Results.</summary>
    internal TextWriter Out { get; } = output;

    /// <summary>Notes, progress and errors.</summary>
    internal TextWriter Error { get; } = error;

    /// <summary>Whether a line of <see cref="Error"/> can be drawn over.</summary>
    internal bool IsLive { get; } = isLive;

    /// <summary>Columns of the terminal, asked anew each time: a window may be made narrower while a run goes on.</summary>
    internal int Width => width();

    /// <summary>Whether <see cref="In"/> is a person at a keyboard.</summary>
    internal bool IsKeyboard { get; init; }

    /// <summary>Whether <see cref="Out"/> is a terminal, on which progress would stand between the results.</summary>
    internal bool IsOutShown { get; init; }

    /// <summary>Suppresses notes, not errors and results.</summary>
    internal bool IsQuiet { get; set; }

    /// <summary>The terminal of this process; where it is one of several and not the first, it keeps what it is told.</summary>
    internal static Terminal OfProcess()
    {
        if (ProcessGroup.IsFollower) return new Terminal(() => TextReader.Null, TextWriter.Null, new StringWriter(), isLive: false, () => DefaultWidth);
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new Terminal(
            OpenInput,
            new StreamWriter(Stream(1, Console.OpenStandardOutput), utf8) { AutoFlush = !Console.IsOutputRedirected },
            new StreamWriter(Stream(2, Console.OpenStandardError), utf8) { AutoFlush = true },
            !Console.IsErrorRedirected && MayDraw(Environment.GetEnvironmentVariable),
            OperatingSystem.IsWindows() || Console.IsErrorRedirected ? () => DefaultWidth : () => Math.Max(LeastWidth, Columns()))
        { IsKeyboard = !Console.IsInputRedirected, IsOutShown = !Console.IsOutputRedirected };
    }

    /// <summary>Whether the environment allows a line that is drawn over and over.</summary>
    internal static bool MayDraw(Func<string, string?> variable) =>
        string.IsNullOrEmpty(variable("NO_COLOR")) && string.IsNullOrEmpty(variable("CI")) &&
        (variable("TERM") is not (null or "" or "dumb") || OperatingSystem.IsWindows()) && !Ranks.Any(rank => variable(rank) is not null);

    /// <summary>A line of the results.</summary>
    internal void Result(string line)
    {
        lock (_lock)
        {
            Erase();
            Out.WriteLine(line);
            Out.Flush();                                       // in its place between the notes, where both go to one file
            Redraw();
        }
    }

    /// <summary>A line that must be seen: an error, or what the user should know even where it is quiet.</summary>
    internal void Note(string line)
    {
        lock (_lock)
        {
            Erase();
            Error.WriteLine(IsLive ? HelpText.Wrap(line, Width - 1) : line);
            Redraw();
        }
    }

    /// <summary>A line that says what is done; nothing where it is quiet.</summary>
    internal void Tell(string line)
    {
        if (!IsQuiet) Note(line);
    }

    /// <summary>The line at the bottom that is drawn over; empty takes it away. Does nothing where nothing can be drawn.</summary>
    internal void Status(string line)
    {
        if (!IsLive || IsQuiet) return;
        lock (_lock)
        {
            // One character less than the terminal has: some wrap when the last column is written.
            var room = Width - 1;
            var shown = line.Length <= room ? line : line[..room];
            if (shown == _status) return;
            Error.Write(ClearLine + shown);
            _status = shown;
        }
    }

    private static Stream Stream(int descriptor, Func<Stream> ofConsole) => ProcessGroup.IsOne ? ofConsole() : new LauncherStream(descriptor);

    /// <summary>Says on standard error what was kept of an error, with the name of this process.</summary>
    internal void SayKept(string name)
    {
        if (Error is not StringWriter kept) return;
        var text = kept.ToString();
        var error = text.LastIndexOf("attune: ", StringComparison.Ordinal);
        using var output = new StreamWriter(Stream(2, Console.OpenStandardError), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        output.Write(error < 0 ? $"attune: {name} has failed.\n" : $"attune: {name}: {text[(error + "attune: ".Length)..]}");
    }

    /// <summary>Hands on what is still in memory.</summary>
    internal void Flush()
    {
        Status("");
        try
        {
            Out.Flush();
        }
        catch (IOException)
        {
            // The reader has gone; there is no one left to tell.
        }
    }

    private void Erase()
    {
        if (_status.Length > 0) Error.Write(ClearLine);
    }

    private void Redraw()
    {
        if (_status.Length > 0) Error.Write(_status);
    }

    private static StreamReader OpenInput() => new(
        Console.OpenStandardInput(),
        System.Text.Encoding.GetEncoding("utf-8", EncoderFallback.ReplacementFallback, new DecoderReplacementFallback(Invalid.ToString())),
        detectEncodingFromByteOrderMarks: false);

    private static int Columns()
    {
        // .NET asks standard output, which may be a file while progress is drawn on standard error.
        if (OperatingSystem.IsLinux() && WindowSize(2, 0x5413, out var size) == 0 && size.Columns > 0) return size.Columns;
        return int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns > 0 ? columns : DefaultWidth;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Size
    {
        internal ushort Rows, Columns, Width, Height;
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int WindowSize(int descriptor, nuint request, out Size size);
}
