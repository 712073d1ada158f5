using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Attune.Cli;
using Attune.Tests.Cli;
using Attune.Tests.Datasets;

namespace Attune.Tests.Documentation;

/// <summary>What deploy/ says fits the command and the repository.</summary>
public sealed partial class DeployTests : IDisposable
{
    private static readonly string Deploy = Path.Combine(Golden.Root, "deploy");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Commands_ThatStartTheServer_AreUnderstoodByIt()
    {
        string[][] commands =
        [
            [.. DockerList("ENTRYPOINT"), .. DockerList("CMD")], DockerList("HEALTHCHECK"), Unit("ExecStart"),
            ["/app/Attune.Cli", .. Container("ContainerAppCommandArgs"), .. Container("ContainerDefaultArgs")],
        ];
        foreach (var words in commands)
        {
            Assert.EndsWith("/Attune.Cli", words[0], StringComparison.Ordinal);
            Assert.Equal("serve", words[1]);
            // --print-config reads all words, and begins nothing.
            var terminal = new RecordingTerminal();
            Assert.True(terminal.Run([.. words[1..], "--print-config"]) == ExitCode.Success, terminal.Error);
        }
    }

    [Fact]
    public void Docs_OptionsOfServe_Exist()
    {
        var known = ServeCommand.Verb.Arguments.Select(argument => argument.Option).ToHashSet();
        var named = Serve().Matches(File.ReadAllText(Path.Combine(Golden.Root, "docs", "deploy.md"))).SelectMany(line => Option().Matches(line.Value)).Select(option => option.Value).ToList();
        Assert.NotEmpty(named);
        Assert.All(named, option => Assert.Contains(option, known));
    }

    [Fact]
    public void Dockerfile_CopiesWhatExists_NamesNoRegistryAndNoRoot()
    {
        var lines = File.ReadAllLines(Path.Combine(Deploy, "Dockerfile"));
        Assert.All(lines.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)), line => Assert.StartsWith("FROM ${DOTNET_IMAGES}/", line, StringComparison.Ordinal));
        var user = lines.Last(line => line.StartsWith("USER ", StringComparison.Ordinal))[5..];
        Assert.True(int.Parse(user, System.Globalization.CultureInfo.InvariantCulture) > 0);
        Assert.True(Array.FindIndex(lines, line => line.StartsWith("USER ", StringComparison.Ordinal)) < Array.FindIndex(lines, line => line.StartsWith("ENTRYPOINT ", StringComparison.Ordinal)));
        var publish = Assert.Single(lines, line => line.StartsWith("RUN dotnet publish ", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(Golden.Root, publish.Split(' ')[3], "Attune.Cli.csproj")));
        // What the build reads is not among what is kept from it.
        var ignored = File.ReadAllLines(Path.Combine(Deploy, "Dockerfile.dockerignore")).Where(line => line.Length > 0 && line[0] != '#').ToList();
        foreach (var needed in new[] { "src", "build", "deploy", "Directory.Build.props", "Directory.Packages.props", "global.json", "BannedSymbols.txt", "README.md" })
        {
            Assert.True(Path.Exists(Path.Combine(Golden.Root, needed)), needed);
            Assert.DoesNotContain(needed, ignored);
        }
    }

    [Fact]
    public void Images_OfBothWays_RunAsTheSameUserAtTheSamePort()
    {
        var dockerfile = File.ReadAllText(Path.Combine(Deploy, "Dockerfile"));
        Assert.Contains($"\nUSER {Container("ContainerUser").Single()}\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains($"\nEXPOSE {Container("ContainerPort").Single()}\n", dockerfile, StringComparison.Ordinal);
        Assert.Equal(DockerList("CMD"), Container("ContainerDefaultArgs"));
        Assert.Contains($"-{Container("ContainerFamily").Single()}\n", dockerfile, StringComparison.Ordinal);
    }

    [Fact]
    public void Unit_SystemdAnalyze_FindsItValidAndWellClosed()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not on this machine.");
        var unit = _folder.Write("attune-serve.service", File.ReadAllText(Path.Combine(Deploy, "attune-serve.service")).Replace(Unit("ExecStart")[0], "/bin/true", StringComparison.Ordinal));
        var (_, verified) = Analyze("verify", unit);
        Assert.Equal("", verified);
        var (code, exposure) = Analyze("security", "--offline=yes", "--threshold=20", "--no-pager", unit);           // 2.0 of 10; without any hardening it is 9.6
        Assert.True(code == 0, exposure);
    }

    [Fact]
    public void EnvironmentFile_HasWhatTheCommandReads()
    {
        var names = File.ReadAllLines(Path.Combine(Deploy, "serve.env.example")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=')[0]);
        var source = File.ReadAllText(Path.Combine(Golden.Root, "src", "Attune.Cli", "ServeCommand.cs"));
        Assert.All(names, name => Assert.Contains($"\"{name}\"", source, StringComparison.Ordinal));
    }

    private static string[] Unit(string name) =>
        File.ReadAllLines(Path.Combine(Deploy, "attune-serve.service")).Single(line => line.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..].Split(' ');

    private static string[] DockerList(string instruction)
    {
        var line = File.ReadAllLines(Path.Combine(Deploy, "Dockerfile")).Single(line => line.StartsWith(instruction + " ", StringComparison.Ordinal));
        return JsonSerializer.Deserialize<string[]>(line[line.IndexOf('[', StringComparison.Ordinal)..])!;
    }

    /// <summary>A property, or the words of an item.</summary>
    private static string[] Container(string name)
    {
        var element = XDocument.Load(Path.Combine(Deploy, "Container.props")).Descendants(name).Single();
        return (element.Attribute("Include")?.Value ?? element.Value).Split(';');
    }

    private static (int Code, string Output) Analyze(params string[] words)
    {
        var start = new ProcessStartInfo("/usr/bin/systemd-analyze", words) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SYSTEMD_LOG_LEVEL"] = "warning";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    [GeneratedRegex(@"\bserve [^\n`]*")]
    private static partial Regex Serve();

    [GeneratedRegex(@"(?<=\s)--[a-z][a-z-]*")]
    private static partial Regex Option();
}
