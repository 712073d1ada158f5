namespace Attune.EndToEndTests;

/// <summary>Ctrl+C and SIGTERM: the run ends with a checkpoint, and goes on from it.</summary>
public sealed class StopTests
{
    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 75)]
    [InlineData("HUP", 75)]
    public void Signal_WhileTraining_SavesACheckpointToGoOnFrom(string signal, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        var folder = Directory.CreateTempSubdirectory("attune-stop-").FullName;
        try
        {
            TinyModel.Write(Path.Combine(folder, "tiny"));
            TinyModel.Csv(Path.Combine(folder, "train.csv"), 32, seed: 1);
            string[] words = ["train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "run", "--threads", "1", "--save-strategy", "no"];
            Result stopped;
            using (var process = AttuneProcess.Start(folder, [.. words, "--max-steps", "1000000", "--logging-steps", "1"]))
            {
                process.WaitFor("step 3 ");
                process.Signal(signal);
                stopped = process.Wait();
            }
            Assert.Equal((code, ""), (stopped.Code, stopped.Out));
            Assert.Contains("Stopping after this step and saving a checkpoint", stopped.Error, StringComparison.Ordinal);
            Assert.Contains("with --resume-from-checkpoint true to go on.", stopped.Error, StringComparison.Ordinal);
            var checkpoint = Assert.Single(Directory.GetDirectories(Path.Combine(folder, "run"), "checkpoint-*"));
            var step = int.Parse(checkpoint[(checkpoint.LastIndexOf('-') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Empty(Directory.GetDirectories(Path.Combine(folder, "run"), ".*"));

            var resumed = AttuneVerb.Run(folder, [.. words, "--max-steps", $"{step + 4}", "--resume-from-checkpoint", "true", "--logging-steps", "1"]).Good();
            Assert.Contains($"Goes on from {Path.Combine("run", Path.GetFileName(checkpoint))}, after update {step} of {step + 4}.\n", resumed.Error, StringComparison.Ordinal);
            Assert.Contains($"step {step + 1} ", resumed.Error, StringComparison.Ordinal);
            Assert.DoesNotContain($"step {step} ", resumed.Error, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(folder, "run", "model.safetensors")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Usr1_WhileTraining_SavesACheckpointAndGoesOn()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        var folder = Directory.CreateTempSubdirectory("attune-stop-").FullName;
        try
        {
            TinyModel.Write(Path.Combine(folder, "tiny"));
            TinyModel.Csv(Path.Combine(folder, "train.csv"), 32, seed: 1);
            using var process = AttuneProcess.Start(folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "run", "--threads", "1",
                "--save-strategy", "no", "--max-steps", "1000000", "--logging-steps", "1");
            process.WaitFor("step 3 ");
            process.Signal("USR1");
            process.WaitFor("Saving a checkpoint after this step, and going on.");
            string? checkpoint;
            while ((checkpoint = Directory.GetDirectories(Path.Combine(folder, "run"), "checkpoint-*").FirstOrDefault()) is null) Thread.Sleep(5);
            var step = int.Parse(checkpoint[(checkpoint.LastIndexOf('-') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            process.WaitFor($"step {step + 2} ");
            Assert.True(File.Exists(Path.Combine(checkpoint, "manifest.json")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void MaxTime_IsOver_StopsWithACheckpoint()
    {
        var folder = Directory.CreateTempSubdirectory("attune-stop-").FullName;
        try
        {
            TinyModel.Write(Path.Combine(folder, "tiny"));
            TinyModel.Csv(Path.Combine(folder, "train.csv"), 32, seed: 1);
            var result = AttuneVerb.Run(folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "run", "--threads", "1",
                "--save-strategy", "no", "--max-steps", "100000000", "--max-time", "1s");
            Assert.Equal((75, ""), (result.Code, result.Out));
            Assert.Contains("with --resume-from-checkpoint true to go on.", result.Error, StringComparison.Ordinal);
            Assert.Single(Directory.GetDirectories(Path.Combine(folder, "run"), "checkpoint-*"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void SecondSignal_WhileStopping_EndsAtOnceAndInOrder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        var folder = Directory.CreateTempSubdirectory("attune-stop-").FullName;
        try
        {
            using var process = AttuneProcess.Start(folder, "train", "--output-dir", "run", "--max-steps", "1000000", "--logging-strategy", "steps", "--logging-steps", "1");
            process.WaitFor("step 3 ");
            for (var i = 0; i < 3; i++) process.Signal("INT");
            Assert.Equal(130, process.Wait().Code);                        // and not that of a crash
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void UnfinishedFolder_WithoutResume_IsRefused()
    {
        var folder = Directory.CreateTempSubdirectory("attune-stop-").FullName;
        try
        {
            TinyModel.Write(Path.Combine(folder, "tiny"));
            TinyModel.Csv(Path.Combine(folder, "train.csv"), 8, seed: 1);
            Directory.CreateDirectory(Path.Combine(folder, "run", "checkpoint-7"));
            var refused = AttuneVerb.Run(folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "run");
            Assert.Equal((1, "attune: run holds an unfinished run (checkpoint-7); give --resume-from-checkpoint true to go on with it, or --overwrite-output-dir to start anew.\n"),
                (refused.Code, refused.Error));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
