using System.Globalization;
using Attune.Onnx.Export;

namespace Attune.Benchmarks;

/// <summary>A program of three lines that refers to Attune.Onnx alone: from the start of its process to the end, its first answer between, against a .NET hello-world.</summary>
internal sealed class TorchFreeStartCheck : Check
{
    private const double Target = 10;

    private const string Code = """
        using Attune.Inference;

        using var classifier = Classifier.Load(args[0]);
        Console.WriteLine(classifier.Predict(args[1]).Label);
        """;

    internal override string Name => "torch-free-start";

    internal override string Summary => "first answer of a tiny ONNX model, from process start: times as long as a .NET hello-world; no libtorch in the folder";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-torch-free-").FullName;
        try
        {
            var hello = WholeProgram.Publish(WholeProgram.Hello(Path.Combine(folder, "source")), Path.Combine(folder, "hello"), "hello");
            var project = WholeProgram.Project(Path.Combine(folder, "classify-source"), "classify", Code, $"""
                <PropertyGroup><PublishReadyToRun>true</PublishReadyToRun></PropertyGroup>
                <ItemGroup><ProjectReference Include="{Samples.InRepository("src/Attune.Onnx/Attune.Onnx.csproj")}" /></ItemGroup>
                """);
            var program = WholeProgram.Publish(project, Path.Combine(folder, "classify"), "classify");
            var model = Model(folder);
            var times = WholeProgram.Times([[hello], [program, model, "a film to fall in love with"]], folder);
            Facts["hello_ms"] = 1000 * Statistics.Median(times[0]);
            var files = Directory.GetFiles(Path.GetDirectoryName(program)!, "*", SearchOption.AllDirectories);
            if (files.FirstOrDefault(file => Path.GetFileName(file).Contains("torch", StringComparison.OrdinalIgnoreCase)) is { } torch)
                throw new AttuneException($"{torch} is in the program's folder, which has to be without libtorch.");
            yield return new("first answer", Statistics.Median(times[1]) / Statistics.Median(times[0]), Target, "times hello-world", LowerIsBetter: true, Note: string.Create(
                CultureInfo.InvariantCulture, $"medians {1000 * Statistics.Median(times[1]):F1} and {Facts["hello_ms"]:F1} ms of {WholeProgram.Rounds}; of the lower quartiles {WholeProgram.Quartile(times[1]) / WholeProgram.Quartile(times[0]):F2}; {files.Length} files, {files.Sum(file => new FileInfo(file).Length) / 1e6:F0} MB"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A tiny classifier, exported: what a service has.</summary>
    private static string Model(string folder)
    {
        var (trained, exported) = (Path.Combine(folder, "trained"), Path.Combine(folder, "model"));
        TinyClassifier.Write(trained);
        Directory.CreateDirectory(exported);
        OnnxExport.Write(trained, Path.Combine(exported, "model.onnx"));
        File.Copy(Path.Combine(trained, "config.json"), Path.Combine(exported, "config.json"));
        TinyClassifier.WriteTokenizer(exported);
        return exported;
    }
}
