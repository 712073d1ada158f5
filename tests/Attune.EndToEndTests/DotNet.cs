using System.Diagnostics;

namespace Attune.EndToEndTests;

/// <summary>The .NET SDK, as a developer calls it.</summary>
internal static class DotNet
{
    /// <summary>The repository.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>Skips a test that builds whole projects.</summary>
    internal static void RequireTime() => LongForm.Require("Builds whole projects, which takes minutes");

    /// <summary>Of this test's own build: what it refers to was built alike.</summary>
    internal static string Configuration => Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)).Split('_')[0] is "release" ? "Release" : "Debug";

    /// <summary>Runs <c>dotnet</c>; gives its exit code and all that it said.</summary>
    internal static Task<(int Code, string Output)> RunAsync(string folder, params string[] words) => RunProgramAsync("dotnet", folder, words);

    /// <summary>The same for a program that it built.</summary>
    internal static async Task<(int Code, string Output)> RunProgramAsync(string program, string folder, params string[] words)
    {
        var start = new ProcessStartInfo(program, words) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // Servers that outlive the test would hold its folders.
        foreach (var (name, value) in new[] { ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("DOTNET_NOLOGO", "1") }) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await error);
    }

    /// <summary>Copies what a build of some projects needs to another folder, without anything built.</summary>
    internal static void CopySource(string target, params string[] projects)
    {
        Directory.CreateDirectory(target);
        foreach (var file in new[] { "Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt", "global.json", ".editorconfig", "README.md" })
            File.Copy(Path.Combine(Root, file), Path.Combine(target, file));
        foreach (var folder in projects.Append("build"))
            foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
            {
                var place = Path.Combine(target, Path.GetRelativePath(Root, file));
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                File.Copy(file, place);
            }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Attune.slnx"))) return folder;
        throw new InvalidOperationException($"No Attune.slnx above {AppContext.BaseDirectory}.");
    }
}
