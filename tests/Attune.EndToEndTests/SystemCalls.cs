using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Attune.EndToEndTests;

/// <summary>The built program under strace, which notes its file-system calls, kills it at one of them or makes one fail.</summary>
internal static partial class SystemCalls
{
    /// <summary>The calls by which files are changed.</summary>
    internal static readonly string[] Changing = ["mkdir", "pwrite64", "fsync", "rename", "unlink", "rmdir"];

    private static readonly Lazy<string?> Missing = new(() =>
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("strace", ["-f", "-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"strace cannot trace here: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "strace is not installed.";
        }
    });

    /// <summary>Whether there is strace, and it may trace.</summary>
    internal static bool CanTrace => Missing.Value is null;

    /// <summary>Skips the test where there is no strace, or where it may not trace.</summary>
    internal static void Require() => Assert.SkipWhen(Missing.Value is not null, Missing.Value ?? "");

    /// <summary>Runs the program and does something to one of its calls.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="words">Its arguments.</param>
    /// <param name="call">For example fsync.</param>
    /// <param name="number">Which one, from 1.</param>
    /// <param name="what">signal=SIGKILL, or error=EIO.</param>
    internal static Result Inject(string folder, string[] words, string call, int number, string what) => AttuneProcess.RunUnder(folder,
        ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", $"trace={call}", "-e", "signal=none", "-e", $"inject={call}:{what}:when={number}"], words);

    /// <summary>Runs the program and gives its calls that change files, in the order in which they ended, with what they wrote.</summary>
    internal static IReadOnlyList<FileCall> Trace(string folder, string[] words)
    {
        var file = Path.Combine(folder, "calls.txt");
        AttuneProcess.RunUnder(folder,
        [
            "strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "100000000", "-o", file,
            "-e", "trace=openat,ftruncate,write," + string.Join(',', Changing), "-e", "signal=none",
        ], words).Good();
        return [.. Whole(File.ReadLines(file)).Select(FileCall.Parse).OfType<FileCall>()];
    }

    /// <summary>Joins calls that another thread's call has cut in two.</summary>
    private static IEnumerable<string> Whole(IEnumerable<string> lines)
    {
        const string unfinished = " <unfinished ...>";
        var begun = new Dictionary<string, string>();
        foreach (var line in lines)
        {
            var (thread, call) = (line[..line.IndexOf(' ', StringComparison.Ordinal)], line[line.IndexOf(' ', StringComparison.Ordinal)..].TrimStart());
            if (call.EndsWith(unfinished, StringComparison.Ordinal)) begun[thread] = call[..^unfinished.Length];
            else if (Resumed().Match(call) is { Success: true } rest && begun.Remove(thread, out var first)) yield return first + call[rest.Length..];
            else yield return call;
        }
    }

    [GeneratedRegex("^<\\.\\.\\. \\w+ resumed>")]
    private static partial Regex Resumed();
}

/// <summary>A call that changes files.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">The file or folder.</param>
/// <param name="Other">The new name of a rename; else empty.</param>
/// <param name="Data">What is written.</param>
/// <param name="Offset">Where, or the length of a truncation.</param>
internal sealed partial record FileCall(string Name, string Path, string Other, byte[] Data, long Offset)
{
    /// <summary>Reads a line of strace; null for what failed or changes no file.</summary>
    internal static FileCall? Parse(string line)
    {
        if (Call().Match(line) is not { Success: true } match) return null;
        var (name, rest) = (match.Groups["name"].Value, match.Groups["rest"].Value);
        var texts = Text().Matches(rest).Select(text => Bytes(text.Groups[1].Value)).ToList();
        string Name(int i) => System.Text.Encoding.UTF8.GetString(texts[i]);
        var file = Descriptor().Match(rest) is { Success: true } descriptor ? Encoded(descriptor.Groups[1].Value) : "";
        return name switch
        {
            "mkdir" or "unlink" or "rmdir" => new(name, Name(0), "", [], 0),
            "rename" => new(name, Name(0), Name(1), [], 0),
            "openat" when rest.Contains("O_CREAT", StringComparison.Ordinal) => new("create", Encoded(Result().Match(line).Groups[1].Value), "", [], 0),
            "fsync" => new(name, file, "", [], 0),
            "ftruncate" => new(name, file, "", [], long.Parse(LastNumber().Match(rest).Groups[1].Value, CultureInfo.InvariantCulture)),
            "pwrite64" => new("write", file, "", texts[0], long.Parse(LastNumber().Match(rest).Groups[1].Value, CultureInfo.InvariantCulture)),
            _ => null,
        };
    }

    private static string Encoded(string hex) => hex.Contains("\\x", StringComparison.Ordinal) ? System.Text.Encoding.UTF8.GetString(Bytes(hex)) : hex;

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace("\\x", "", StringComparison.Ordinal));

    [GeneratedRegex(@"^(?<name>\w+)\((?<rest>.*)\)\s+= (?<result>\d+.*)$")]
    private static partial Regex Call();

    [GeneratedRegex("\"((?:\\\\x[0-9a-f]{2})*)\"")]
    private static partial Regex Text();

    [GeneratedRegex("^\\d+<([^>]*)>")]
    private static partial Regex Descriptor();

    [GeneratedRegex("= \\d+<([^>]*)>$")]
    private static partial Regex Result();

    [GeneratedRegex("(\\d+)$")]
    private static partial Regex LastNumber();
}
