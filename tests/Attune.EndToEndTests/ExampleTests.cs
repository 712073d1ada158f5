using System.Diagnostics;

namespace Attune.EndToEndTests;

/// <summary>The programs in examples/ are built and run as a reader would run them.</summary>
public sealed class ExampleTests
{
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
            using var process = Process.Start(new ProcessStartInfo("dotnet", ["run", Path.Combine(Root(), "examples", program), "--", model, data])
            {
                WorkingDirectory = folder.FullName,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, output + await error);
            Assert.Contains(expected, output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Attune.slnx"))) return folder;
        throw new InvalidOperationException($"No Attune.slnx above {AppContext.BaseDirectory}.");
    }
}
