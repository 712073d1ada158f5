namespace Attune.EndToEndTests;

/// <summary>
/// The programs in examples/. Where there is time they are run as a reader runs them, by <c>dotnet run</c>, which builds one after the other. Else
/// they are built together, each as the project that its first lines describe, in a folder that the next tests find again.
/// </summary>
public sealed class BuiltExamples : IAsyncLifetime
{
    private static readonly string Source = Path.Combine(DotNet.Root, "examples"), Folder = Path.Combine(DotNet.Root, "artifacts", "examples");

    private string _problem = "";

    public async ValueTask InitializeAsync()
    {
        if (DotNet.HasTime) return;
        foreach (var name in new[] { "Directory.Build.props", "Directory.Build.targets" }) Write(name, $"""<Project><Import Project="{Path.Combine(Source, name)}" /></Project>""");
        Write("Directory.Packages.props", $"""<Project><Import Project="{Path.Combine(DotNet.Root, "Directory.Packages.props")}" /></Project>""");
        string[] programs = [.. Directory.EnumerateFiles(Source, "*.cs").Order(StringComparer.Ordinal)];
        foreach (var program in programs) Write(Project(program), ProjectOf(program));
        Write("All/All.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup>{string.Concat(programs.Select(program => $"""<ProjectReference Include="../{Project(program)}" ReferenceOutputAssembly="false" />"""))}</ItemGroup>
            </Project>
            """);
        var (code, output) = await DotNet.RunAsync(Folder, "build", "All", "-c", DotNet.Configuration, "-nologo", "-v", "q");
        if (code != 0) _problem = output;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Runs one of them to its end; gives what it said.</summary>
    internal async Task<string> Run(string program, string folder, params string[] words)
    {
        Assert.True(_problem.Length == 0, _problem);
        var name = Path.GetFileNameWithoutExtension(program);
        var (code, output) = DotNet.HasTime ? await DotNet.RunAsync(folder, ["run", Path.Combine(Source, program), "--", .. words])
            : await DotNet.RunProgramAsync(Path.Combine(Folder, "bin", name, name), folder, words);
        Assert.True(code == 0, output);
        return output;
    }

    private static string Project(string program) => Path.GetFileNameWithoutExtension(program) is var name ? $"{name}/{name}.csproj" : "";

    private static string ProjectOf(string program) => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <Features>$(Features);FileBasedProgram</Features>
            <OutDir>{Path.Combine(Folder, "bin", Path.GetFileNameWithoutExtension(program))}/</OutDir>
          </PropertyGroup>
          <ItemGroup>
            <Compile Include="{program}" />
            {string.Concat(File.ReadLines(program).Where(line => line.StartsWith("#:", StringComparison.Ordinal)).Select(Reference))}
          </ItemGroup>
        </Project>
        """;

    private static string Reference(string line) => line.Split(' ') switch
    {
        ["#:project", var project] => $"""<ProjectReference Include="{Path.GetFullPath(project, Source)}" />""",
        ["#:package", var package] => $"""<PackageReference Include="{package}" />""",
        _ => throw new NotSupportedException(line),
    };

    /// <summary>Leaves a file alone that is as it should be, so that nothing is built again for it.</summary>
    private static void Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        if (File.Exists(path) && File.ReadAllText(path) == content) return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
