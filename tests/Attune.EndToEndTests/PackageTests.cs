using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Attune.EndToEndTests;

/// <summary>The library as a developer meets it: packages in a folder, a new project that refers to them, and nothing of this repository.</summary>
public sealed partial class PackageTests : IDisposable
{
    private const string Program = """
        using Attune.Batching;
        using Attune.Datasets;
        using Attune.Models;
        using Attune.Tokenization;
        using Attune.Training;

        var checkpoint = Path.Combine(AppContext.BaseDirectory, "attune-mini");
        var dataset = EmbeddedDatasets.Load("attune/reviews");
        var columns = ClassificationColumns.Find(dataset);
        var tokenizer = Tokenizer.FromPretrained(checkpoint);
        using var model = BertForSequenceClassification.FromPretrained(checkpoint, columns.LabelNames);
        var train = EncodedTexts.Of(columns.Rows(dataset["train"], "train"), tokenizer, maxLength: 32).Dataset;
        var trainer = new Trainer(model, new TrainingArguments { MaxSteps = 2, SaveStrategy = SaveStrategy.No }, train);
        Console.WriteLine($"{trainer.Train().GlobalStep} updates");
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Packages_InAFreshProject_RestoreBuildAndTrain()
    {
        DotNet.RequireTime();
        var feed = Path.Combine(_folder, "feed");
        foreach (var project in new[] { "Attune.Text", "Attune" })
        {
            var (code, output) = await DotNet.RunAsync(DotNet.Root, "pack", $"src/{project}", "--no-build", "-c", DotNet.Configuration, "-o", feed, "-nologo", "-v", "q");
            Assert.True(code == 0, output);
        }
        string[] files = [.. Directory.EnumerateFiles(feed).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Equal([$"Attune.{Version}.nupkg", $"Attune.{Version}.snupkg", $"Attune.Text.{Version}.nupkg", $"Attune.Text.{Version}.snupkg"], files);
        using (var package = ZipFile.OpenRead(Path.Combine(feed, files[0])))
        {
            string[] inside = [.. package.Entries.Select(entry => entry.FullName)];
            foreach (var file in new[] { "README.md", "buildTransitive/Attune.targets", "buildTransitive/PatchLibTorchSharp.cs", "lib/net10.0/Attune.dll", "lib/net10.0/Attune.xml" })
                Assert.Contains(file, inside);
            using var nuspec = new StreamReader(package.GetEntry("Attune.nuspec")!.Open());
            var text = await nuspec.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Contains("<license type=\"expression\">Apache-2.0</license>", text, StringComparison.Ordinal);
            Assert.Contains("<readme>README.md</readme>", text, StringComparison.Ordinal);
        }

        var trained = await Run(WriteProject(feed));
        Assert.Contains("2 updates", trained, StringComparison.Ordinal);
    }

    /// <summary>The packages of others come from where this machine has them, those of Attune from the feed alone.</summary>
    private string WriteProject(string feed)
    {
        var project = Directory.CreateDirectory(Path.Combine(_folder, "program")).FullName;
        var torch = Of("Directory.Packages.props", LibtorchVersion());
        File.WriteAllText(Path.Combine(project, "Program.cs"), Program);
        File.WriteAllText(Path.Combine(project, "program.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <InvariantGlobalization>true</InvariantGlobalization>
                <RuntimeIdentifier>$(NETCoreSdkPortableRuntimeIdentifier)</RuntimeIdentifier>
                <SelfContained>false</SelfContained>
                <RestorePackagesPath>{Path.Combine(_folder, "packages")}</RestorePackagesPath>
                <RestoreFallbackFolders>{Packages()}</RestoreFallbackFolders>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Attune" Version="{Version}" />
                <PackageReference Include="libtorch-cpu" Version="{torch}" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(project, "nuget.config"),
            $"""<configuration><packageSources><clear /><add key="feed" value="{feed}" /></packageSources></configuration>""");
        return project;
    }

    private static async Task<string> Run(string project)
    {
        var (code, output) = await DotNet.RunAsync(project, "run", "-c", "Release");
        Assert.True(code == 0, output);
        return output;
    }

    private static string Packages() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string Version => Of("Directory.Build.props", OwnVersion());

    private static string Of(string file, Regex what) => what.Match(File.ReadAllText(Path.Combine(DotNet.Root, file))).Groups[1].Value;

    [GeneratedRegex("\"libtorch-cpu\" Version=\"([^\"]+)\"")]
    private static partial Regex LibtorchVersion();

    [GeneratedRegex("<Version>([^<]+)<")]
    private static partial Regex OwnVersion();
}
