namespace Attune.EndToEndTests;

/// <summary>The programs in examples/ are run as a reader runs them, and do what a reader is told.</summary>
public sealed class ExampleTests(TrainedRun run) : IDisposable
{
    private static readonly string[] Texts = ["the film was very good and great", "the meal was very bad and dull"];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-example-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("Classify.cs")]
    [InlineData("MLNet.cs")]
    public async Task Example_TrainedModel_NamesTheLabelOfEachText(string program)
    {
        DotNet.RequireTime();
        run.Result.Good();
        var output = await Example(program, _folder, [run.Model, .. Texts]);
        Assert.Matches("^positive\t\\S+\tthe film[^\n]*\nnegative\t\\S+\tthe meal[^\n]*\n$", output);
    }

    /// <summary>ONNX Runtime and the tokenizer alone give the same answers as the model.</summary>
    [Fact]
    public async Task ClassifyOnnx_ExportedModel_NamesTheLabelOfEachText()
    {
        DotNet.RequireTime();
        run.Result.Good();
        AttuneProcess.Run(_folder, "export", run.Model, "--output-dir", "exported").Good();
        var output = await Example("ClassifyOnnx.cs", _folder, [Path.Combine(_folder, "exported"), .. Texts]);
        Assert.Equal(AttuneProcess.Run(_folder, ["predict", "--model", run.Model, .. Texts]).Good().Out, output);
    }

    [Theory]
    [InlineData("FineTune.cs", "'eval_accuracy': 1")]
    [InlineData("TrainingLoop.cs", "epoch 3: accuracy 1.0000")]
    public async Task Example_OnEasyRows_LearnsThem(string program, string expected)
    {
        DotNet.RequireTime();
        var model = TinyModel.Write(Path.Combine(_folder, "tiny"));
        var data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        TinyModel.Csv(Path.Combine(data, "train.csv"), 800, seed: 1);
        TinyModel.Csv(Path.Combine(data, "validation.csv"), 40, seed: 2);
        Assert.Contains(expected, await Example(program, _folder, model, data), StringComparison.Ordinal);
    }

    /// <summary>Builds one of them and runs it to its end; gives what it said.</summary>
    private static async Task<string> Example(string program, string folder, params string[] words)
    {
        var (code, output) = await DotNet.RunAsync(folder, ["run", Path.Combine(DotNet.Root, "examples", program), "--", .. words]);
        Assert.True(code == 0, output);
        return output;
    }
}
