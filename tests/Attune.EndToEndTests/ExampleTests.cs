namespace Attune.EndToEndTests;

/// <summary>The programs in examples/ are built and run as a reader would run them.</summary>
public sealed class ExampleTests
{
    [Fact]
    public async Task ClassifyAndMLNet_TrainedModel_NameTheLabelOfEachText()
    {
        using var run = new TrainedRun();
        run.Result.Good();
        foreach (var program in new[] { "Classify.cs", "MLNet.cs" })
        {
            var output = await Run(program, run.Folder, [Path.Combine(run.Folder, "run"), "the film was very good and great", "the meal was very bad and dull"]);
            Assert.Matches("^positive\t\\S+\tthe film[^\n]*\nnegative\t\\S+\tthe meal[^\n]*\n$", output);
        }
    }

    /// <summary>ONNX Runtime and the tokenizer alone give the same answers as the model.</summary>
    [Fact]
    public async Task ClassifyOnnx_ExportedModel_NamesTheLabelOfEachText()
    {
        using var run = new TrainedRun();
        run.Result.Good();
        AttuneProcess.Run(run.Folder, "export", "run", "--output-dir", "exported").Good();
        string[] texts = ["the film was very good and great", "the meal was very bad and dull"];
        var output = await Run("ClassifyOnnx.cs", run.Folder, [Path.Combine(run.Folder, "exported"), .. texts]);
        Assert.Equal(AttuneProcess.Run(run.Folder, ["predict", "--model", "run", .. texts]).Good().Out, output);
    }

    [Theory]
    [InlineData("FineTune.cs", "'eval_accuracy': 1")]
    [InlineData("TrainingLoop.cs", "epoch 3: accuracy 1.0000")]
    public async Task Example_OnEasyRows_LearnsThem(string program, string expected)
    {
        var folder = Directory.CreateTempSubdirectory("attune-example-");
        try
        {
            var model = TinyModel.Write(Path.Combine(folder.FullName, "tiny"));
            var data = folder.CreateSubdirectory("data").FullName;
            TinyModel.Csv(Path.Combine(data, "train.csv"), 800, seed: 1);
            TinyModel.Csv(Path.Combine(data, "validation.csv"), 40, seed: 2);
            var output = await Run(program, folder.FullName, [model, data]);
            Assert.Contains(expected, output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> Run(string program, string folder, string[] words)
    {
        var (code, output) = await DotNet.RunAsync(folder, ["run", Path.Combine(DotNet.Root, "examples", program), "--", .. words]);
        Assert.True(code == 0, output);
        return output;
    }
}
