using System.Text;
using Attune.Cli;

namespace Attune.Tests.Cli;

/// <summary>A terminal that keeps what is written on it.</summary>
internal sealed class RecordingTerminal
{
    private readonly StringBuilder _out = new(), _error = new();

    internal RecordingTerminal(bool isLive = false, int width = 80, string input = "") =>
        (Width, Terminal) = (width, new Terminal(() => new StringReader(input), Writer(_out), Writer(_error), isLive, () => Width));

    internal int Width { get; set; }

    internal Terminal Terminal { get; }

    internal string Out => _out.ToString();

    internal string Error => _error.ToString();

    /// <summary>The lines of <see cref="Error"/>.</summary>
    internal List<string> Told => [.. Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Runs the command in this process; only for verbs and errors that do not train.</summary>
    internal int Run(params string[] words) => CommandLine.Run(words, Terminal);

    private static StringWriter Writer(StringBuilder text) => new(text) { NewLine = "\n" };
}
