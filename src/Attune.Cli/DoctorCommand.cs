using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Attune.Diagnostics;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune doctor</c>: what is wrong with this machine, each with its remedy.</summary>
internal static class DoctorCommand
{
    internal static Verb Verb { get; } = new(
        "doctor", "Checks this machine and says what to do about what is wrong; exit code 1 where something is.", null,
        [new("Output", ArgumentTable.Of<OutputArguments>())], Run);

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var checks = new List<Check>();
        foreach (var check in MachineChecks.Run(Directory.GetCurrentDirectory()).Append(ParquetLibrary()).Append(SqliteLibrary()).Append(OfTerminal(terminal)))
        {
            checks.Add(check);
            if (output.Json || output.Quiet && check.Status == CheckStatus.Ok) continue;
            terminal.Result($"{Mark(check.Status),-7} {check.Name}: {check.Finding}");
            if (check.Remedy is { } remedy) terminal.Result($"        -> {remedy}");
        }
        var broken = checks.Count(check => check.Status == CheckStatus.Broken);
        if (output.Json) terminal.Result(PythonJson.Write(AsJson(checks), ensureAscii: false));
        else if (!output.Quiet) terminal.Result(broken == 0 ? "Nothing is broken." : $"{broken} of {checks.Count} checks failed.");
        return broken == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Mark(CheckStatus status) => status switch { CheckStatus.Ok => "ok", CheckStatus.Warning => "warning", _ => "BROKEN" };

    private static Check ParquetLibrary() =>
        NativeLibrary.TryLoad("ParquetSharpNative", typeof(ParquetSharp.ParquetFileReader).Assembly, null, out _)
            ? new Check("Parquet", CheckStatus.Ok, "its library can be loaded")
            : new Check("Parquet", CheckStatus.Broken, "its library ParquetSharpNative cannot be loaded",
                "Build or install Attune again for this system; data in CSV, TSV and JSON lines works without it.");

    private static Check SqliteLibrary() =>
        NativeLibrary.TryLoad("e_sqlite3", typeof(Microsoft.Data.Sqlite.SqliteConnection).Assembly, null, out _)
            ? new Check("SQLite", CheckStatus.Ok, "its library can be loaded")
            : new Check("SQLite", CheckStatus.Broken, "its library e_sqlite3 cannot be loaded",
                "Build or install Attune again for this system; everything but attune sweep works without it.");

    private static Check OfTerminal(Terminal terminal) => new("Terminal", CheckStatus.Ok, terminal.IsLive
        ? $"{terminal.Width} columns, live progress"
        : "plain lines (standard error is no terminal, or NO_COLOR, CI, TERM or a rank says so)");

    private static JsonObject AsJson(List<Check> checks) => new()
    {
        ["broken"] = checks.Count(check => check.Status == CheckStatus.Broken),
        ["checks"] = new JsonArray([.. checks.Select(check => new JsonObject
        {
            ["name"] = check.Name, ["status"] = check.Status.ToString().ToLowerInvariant(), ["finding"] = check.Finding, ["remedy"] = check.Remedy,
        })]),
    };
}
