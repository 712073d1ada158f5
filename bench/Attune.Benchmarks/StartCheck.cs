using System.Diagnostics;
using System.Globalization;

namespace Attune.Benchmarks;

/// <summary>The command as a user starts it, against a .NET program that writes one line, published in the same way: whole processes, taking turns.</summary>
internal sealed class StartCheck : Check
{
    private const int WarmUps = 3, Rounds = 31;
    private const double Target = 2;
    private const string Sdk = "install the .NET 10 SDK";

    internal override string Name => "start";

    internal override string Summary => "attune --help and attune tokenize \"a b\", published: times as long as a .NET hello-world";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-start-").FullName;
        try
        {
            var hello = Publish(Hello(Path.Combine(folder, "source")), Path.Combine(folder, "hello"), "hello");
            var attune = Publish(Samples.InRepository("src/Attune.Cli/Attune.Cli.csproj"), Path.Combine(folder, "attune"), "Attune.Cli");
            var empty = Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName;
            string[][] commands = [[hello], [attune, "--help"], [attune, "tokenize", "a b"]];
            var times = commands.Select(_ => new List<double>()).ToArray();
            for (var round = -WarmUps; round < Rounds; round++)
                foreach (var (i, command) in commands.Index())
                {
                    var seconds = Seconds(command, empty);
                    if (round >= 0) times[i].Add(seconds);
                }
            Facts["hello_ms"] = 1000 * Statistics.Median(times[0]);
            for (var i = 1; i < commands.Length; i++)
            {
                // The quarter that was disturbed least says more than the median on a machine that others use too; both are given.
                var (ratio, quick) = (Statistics.Median(times[i]) / Statistics.Median(times[0]), Quartile(times[i]) / Quartile(times[0]));
                yield return new($"attune {string.Join(' ', commands[i][1..])}", ratio, Target, "times hello-world", LowerIsBetter: true, Note: string.Create(
                    CultureInfo.InvariantCulture, $"medians {1000 * Statistics.Median(times[i]):F1} and {Facts["hello_ms"]:F1} ms of {Rounds}; of the lower quartiles {quick:F2}"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Quartile(List<double> values) => values.Order().ElementAt(values.Count / 4);

    /// <summary>The program that .NET's own template makes, with the settings of Attune that bear on its start.</summary>
    private static string Hello(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), "Console.WriteLine(\"Hello, World!\");\n");
        var project = Path.Combine(folder, "hello.csproj");
        File.WriteAllText(project, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <RuntimeIdentifier>$(NETCoreSdkPortableRuntimeIdentifier)</RuntimeIdentifier>
                <SelfContained>false</SelfContained>
                <InvariantGlobalization>true</InvariantGlobalization>
              </PropertyGroup>
              <Import Project="{Samples.InRepository("build/AheadOfTime.targets")}" />
            </Project>
            """);
        return project;
    }

    /// <summary>Publishes a project; gives the program.</summary>
    internal static string Publish(string project, string folder, string program)
    {
        Console.WriteLine($"publishing {program}");
        Command.Run(Sdk, ["dotnet", "publish", project, "-c", "Release", "-o", folder, "-nologo", "-v", "quiet"]);
        return Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program);
    }

    private static double Seconds(string[] command, string folder)
    {
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, WorkingDirectory = folder })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var seconds = clock.Elapsed.TotalSeconds;
        return process.ExitCode == 0 ? seconds : throw new AttuneException($"\"{string.Join(' ', command)}\" ended with {process.ExitCode}.");
    }
}
