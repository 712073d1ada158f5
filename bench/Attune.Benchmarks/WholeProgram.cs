using System.Diagnostics;

namespace Attune.Benchmarks;

/// <summary>Programs as a user starts them: published, and measured as whole processes that take turns.</summary>
internal static class WholeProgram
{
    private const int WarmUps = 3;
    private const string Sdk = "install the .NET 10 SDK";

    /// <summary>Rounds that count.</summary>
    internal const int Rounds = 31;

    /// <summary>The project that .NET's own template makes, with the settings of Attune that bear on its start.</summary>
    internal static string Hello(string folder) => Project(folder, "hello", "Console.WriteLine(\"Hello, World!\");\n",
        $"""<Import Project="{Samples.InRepository("build/AheadOfTime.targets")}" />""");

    /// <summary>Writes a project of one file.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">Its name.</param>
    /// <param name="code">Its program.</param>
    /// <param name="more">What its project file has besides.</param>
    internal static string Project(string folder, string name, string code, string more)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), code);
        var project = Path.Combine(folder, name + ".csproj");
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
              {more}
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

    /// <summary>Seconds of each round of each command, from the start of its process to its end.</summary>
    internal static IReadOnlyList<List<double>> Times(string[][] commands, string folder)
    {
        var times = commands.Select(_ => new List<double>()).ToArray();
        for (var round = -WarmUps; round < Rounds; round++)
            foreach (var (i, command) in commands.Index())
            {
                var seconds = Seconds(command, folder);
                if (round >= 0) times[i].Add(seconds);
            }
        return times;
    }

    /// <summary>The quarter that was disturbed least says more than the median on a machine that others use too.</summary>
    internal static double Quartile(List<double> values) => values.Order().ElementAt(values.Count / 4);

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
