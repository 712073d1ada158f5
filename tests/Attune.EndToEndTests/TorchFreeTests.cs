using System.Diagnostics;

namespace Attune.EndToEndTests;

/// <summary>What serves an exported model needs no libtorch, and has none.</summary>
public sealed class TorchFreeTests : IDisposable
{
    private const string Text = "the film was very good and great";

    private const string Program = """
        using Attune.Inference;

        using var classifier = Classifier.Load(args[0]);
        Console.WriteLine(classifier.Predict(args[1]).Label);
        """;

    private readonly TrainedRun _run;
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-torch-free-").FullName;

    public TorchFreeTests(TrainedRun run) => _run = run;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Program_ThatRefersToOnnxAlone_ClassifiesAndHasNoLibtorch()
    {
        DotNet.RequireTime();
        var source = Directory.CreateDirectory(Path.Combine(_folder, "source")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "Program.cs"), Program, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "classify.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <InvariantGlobalization>true</InvariantGlobalization>
                <RuntimeIdentifier>$(NETCoreSdkPortableRuntimeIdentifier)</RuntimeIdentifier>
                <SelfContained>false</SelfContained>
                <PublishReadyToRun>true</PublishReadyToRun>
              </PropertyGroup>
              <ItemGroup><ProjectReference Include="{Path.Combine(DotNet.Root, "src", "Attune.Onnx", "Attune.Onnx.csproj")}" /></ItemGroup>
            </Project>
            """, TestContext.Current.CancellationToken);
        var published = await Publish(source, "classify");
        Assert.Equal("positive\n", Run(Path.Combine(published, "classify"), Model(), Text).Output);
    }

    /// <summary>The command, in one folder with .NET.</summary>
    [Fact]
    public async Task Command_PublishedForOnnx_PredictsAndSaysWhatItLacks()
    {
        DotNet.RequireTime();
        var published = await Publish(Path.Combine(DotNet.Root, "src", "Attune.Cli"), "attune", "--self-contained", "-r", "linux-x64", "-p:AttuneEngine=onnx");
        var command = Path.Combine(published, "Attune.Cli");
        var (code, output) = Run(command, "predict", "--model", Model(), Text);
        Assert.True(code == 0, output);
        Assert.Contains("positive", output, StringComparison.Ordinal);
        File.Copy(Path.Combine(_run.Folder, "run", "model.safetensors"), Path.Combine(Model(), "model.safetensors"));
        (code, output) = Run(command, "predict", "--model", Model(), Text);         // beside weights, which nothing here can compute
        Assert.True(code == 0 && output.Contains("positive", StringComparison.Ordinal), output);
        (code, output) = Run(command, "evaluate", "--model", Path.Combine(_run.Folder, "run"), "--validation-file", Path.Combine(_run.Folder, "dev.csv"));
        Assert.Equal(1, code);
        Assert.Contains("libtorch", Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private string Model()
    {
        _run.Result.Good();
        var folder = Path.Combine(_folder, "model");
        if (!Directory.Exists(folder)) AttuneProcess.Run(_run.Folder, "export", "run", "--output-dir", folder).Good();
        return folder;
    }

    /// <summary>Publishes, and looks through what is there.</summary>
    private async Task<string> Publish(string project, string name, params string[] words)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Publishes for Linux.");
        var folder = Path.Combine(_folder, name);
        var (code, output) = await DotNet.RunAsync(project, ["publish", "-c", "Release", "-o", folder, "-nologo", "-v", "q", .. words]);
        Assert.True(code == 0, output);
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file)).ToList();
        Assert.Contains("libonnxruntime.so", files);
        // Of libtorch: TorchSharp's own library, of two megabytes, finds nothing to load.
        Assert.DoesNotContain(files, file => file is "libtorch.so" or "libtorch_cpu.so" or "libc10.so" or "libtorch_python.so" || file.StartsWith("libgomp", StringComparison.Ordinal));
        return folder;
    }

    private static (int Code, string Output) Run(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
