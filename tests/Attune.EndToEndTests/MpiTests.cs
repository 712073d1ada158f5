using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Attune.Checkpoints;

namespace Attune.EndToEndTests;

/// <summary>
/// Several processes under a real launcher: the same results as one, and what becomes of a run when one of them dies, hangs or is told to stop.
/// <c>ATTUNE_MPI_LONG=1</c> tries all numbers of processes over 100 updates, and kills at more points.
/// </summary>
public sealed class MpiTests : IDisposable
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("ATTUNE_MPI_LONG") == "1";
    private static readonly string[] Model = ["--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--report-to", "none", "--learning-rate", "1e-3"];

    // float32 in another order of summation, grown over the updates of a run.
    private const double Tolerance = 1e-4;

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-mpi-").FullName;

    public MpiTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        var config = Path.Combine(_folder, "tiny", "config.json");
        // Dropout on: its numbers hang on the row, and not on who computes it.
        File.WriteAllText(config, File.ReadAllText(config).Replace("dropout_prob\": 0.0", "dropout_prob\": 0.1", StringComparison.Ordinal));
        TinyModel.Csv(Path.Combine(_folder, "train.csv"), 46, seed: 1);
        TinyModel.Csv(Path.Combine(_folder, "dev.csv"), 21, seed: 2);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Launchers() => ["mpirun.openmpi", "mpirun.mpich"];

    /// <summary>Both take turns where one of them shows it.</summary>
    public static TheoryData<string> OpenMpi() => IsLong ? Launchers() : ["mpirun.openmpi"];

    public static TheoryData<string> Mpich() => IsLong ? Launchers() : ["mpirun.mpich"];

    [Theory, MemberData(nameof(Launchers))]
    public void Train_SeveralProcesses_EqualsOne(string launcher)
    {
        MpiRun.Require(launcher);
        // A batch of 12 rows over all; 46 rows: every epoch ends with a batch of 10.
        string[] same = ["train", .. Model, "--validation-file", "dev.csv", "--eval-strategy", "epoch", "--max-steps", IsLong ? "100" : "5", "--gradient-accumulation-steps", "2", "--logging-steps", "1", "--save-strategy", "no"];
        AttuneVerb.Run(_folder, [.. same, "--per-device-train-batch-size", "12", "--output-dir", "alone"]).Good();
        foreach (var (processes, zero) in IsLong ? [(2, 0), (3, 0), (4, 0), (2, 1), (3, 1), (4, 1)] : launcher == "mpirun.mpich" ? [(3, 1)] : new (int, int)[] { (2, 1), (4, 0) })
        {
            var name = $"of-{processes}-{zero}";
            var result = MpiRun.Run(_folder, launcher, processes, [.. same, "--per-device-train-batch-size", $"{12 / processes}", "--zero-stage", $"{zero}", "--output-dir", name]);
            Assert.True(result.Code == 0, result.Said);
            Assert.Contains($"updates of 24 rows ({processes} processes of {12 / processes}, 2 times)", result.Said, StringComparison.Ordinal);
            AssertClose("alone", name);
        }
    }

    [Fact]
    public void Train_OverTheNetworkOrByAnotherMpi_GivesTheSameBits()
    {
        MpiRun.Require("mpirun.openmpi");
        MpiRun.Require("mpirun.mpich");
        string[] words = ["train", .. Model, "--max-steps", "4", "--per-device-train-batch-size", "4", "--save-strategy", "no"];
        Assert.Equal(0, MpiRun.Run(_folder, "mpirun.openmpi", 2, [.. words, "--output-dir", "memory"]).Code);
        Assert.Equal(0, MpiRun.Run(_folder, "mpirun.mpich", 2, [.. words, "--output-dir", "mpich"]).Code);
        using (var network = MpiRun.Start(_folder, "mpirun.openmpi", 2, [.. words, "--output-dir", "network"], ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo"])) Assert.Equal(0, network.Wait().Code);
        Assert.Equal(Hash("memory"), Hash("mpich"));
        Assert.Equal(Hash("memory"), Hash("network"));
    }

    /// <summary>float16 with its loss scale, by tokens, under a real launcher: the scale, the rows and the losses are those of one process.</summary>
    [Theory, MemberData(nameof(Mpich))]
    public void Train_Float16ByTokens_EqualsOne(string launcher)
    {
        MpiRun.Require(launcher);
        const double ofFloat16 = 2e-3;
        string[] same = ["train", .. Model, "--max-steps", "6", "--fp16", "--gradient-accumulation-steps", "2", "--logging-steps", "1", "--save-strategy", "steps", "--save-steps", "3", "--zero-stage", "1"];
        var alone = AttuneVerb.Run(_folder, [.. same, "--max-tokens-per-batch", "120", "--output-dir", "alone"]).Good();
        var together = MpiRun.Run(_folder, launcher, 2, [.. same, "--max-tokens-per-batch", "60", "--output-dir", "together"]).Good();
        Assert.Contains("6 updates of at most 240 tokens, which are ", alone.Error, StringComparison.Ordinal);
        Assert.Contains("6 updates of at most 240 tokens (2 processes of 60, 2 times), which are ", together.Said, StringComparison.Ordinal);
        foreach (var (one, other) in History("alone").Zip(History("together"))) Assert.Equal((double?)one["loss"] ?? 0, (double?)other["loss"] ?? 0, ofFloat16);
        foreach (var step in (int[])[3, 6]) Assert.Equal(Scale("alone", step), Scale("together", step));
        // From the middle, by one process: the same rows, and the scale goes on.
        Directory.Delete(Path.Combine(_folder, "together", "checkpoint-6"), recursive: true);
        File.Delete(Path.Combine(_folder, "together", "model.safetensors"));
        AttuneVerb.Run(_folder, [.. same, "--max-tokens-per-batch", "120", "--output-dir", "together", "--resume-from-checkpoint", "auto"]).Good();
        Assert.Equal(Scale("alone", 6), Scale("together", 6));
    }

    [Theory, MemberData(nameof(OpenMpi))]
    public void Evaluate_SeveralProcesses_EqualsOneToTheBit(string launcher)
    {
        MpiRun.Require(launcher);
        Trained();
        File.AppendAllText(Path.Combine(_folder, "dev.csv"), "a row that lacks its label\n");
        string[] words = ["evaluate", "run", "--validation-file", "dev.csv", "--threads", "1", "--json", "--quiet", "--batch-size", "4", "--on-bad-row", "quarantine", "--max-bad-rows", "2"];
        var alone = JsonNode.Parse(AttuneVerb.Run(_folder, words).Good().Out)!;
        var together = JsonNode.Parse(MpiRun.Run(_folder, launcher, 3, words).Out)!;
        Assert.Equal((double)alone["eval_loss"]!, (double)together["eval_loss"]!);
        Assert.Equal((double)alone["eval_accuracy"]!, (double)together["eval_accuracy"]!);
        Assert.Equal((int)alone["eval_samples"]!, (int)together["eval_samples"]!);
        Assert.Single(File.ReadAllLines(Path.Combine(_folder, "dev.csv.bad-rows.jsonl")));
    }

    [Theory, MemberData(nameof(Mpich))]
    public void Predict_SeveralProcesses_WritesTheBytesOfOne(string launcher)
    {
        MpiRun.Require(launcher);
        Trained();
        TinyModel.NumberedCsv(Path.Combine(_folder, "texts.csv"), 1100, seed: 3);     // three blocks
        File.AppendAllText(Path.Combine(_folder, "texts.csv"), "1100\n");
        string[] words = ["predict", "--model", "run", "--file", "texts.csv", "--keep-columns", "id", "--threads", "1", "--batch-size", "16", "--on-bad-row", "quarantine"];
        AttuneVerb.Run(_folder, [.. words, "--output-file", "alone.jsonl"]).Good();
        File.Delete(Path.Combine(_folder, "texts.csv.bad-rows.jsonl"));
        MpiRun.Run(_folder, launcher, 3, [.. words, "--output-file", "together.jsonl"]).Good();
        Assert.Equal(File.ReadAllText(Path.Combine(_folder, "alone.jsonl")), File.ReadAllText(Path.Combine(_folder, "together.jsonl")));
        Assert.Equal(1100, File.ReadLines(Path.Combine(_folder, "together.jsonl")).Count());
        Assert.Single(File.ReadAllLines(Path.Combine(_folder, "texts.csv.bad-rows.jsonl")));
        var texts = AttuneVerb.Run(_folder, "predict", "--model", "run", "--threads", "1", "the film was good", "the meal was awful").Good();
        var same = MpiRun.Run(_folder, launcher, 3, "predict", "--model", "run", "--threads", "1", "the film was good", "the meal was awful").Good();
        Assert.Contains(texts.Out, same.Out, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(OpenMpi))]
    public void Pretrain_SeveralProcesses_EqualsOne(string launcher)
    {
        MpiRun.Require(launcher);
        var random = new Random(4);
        File.WriteAllLines(Path.Combine(_folder, "text.txt"), Enumerable.Range(0, 60).SelectMany(_ => TinyModel.Rows(5, random).Select(row => row.Text + ".").Append("")));
        string[] same = ["pretrain", "--train-file", "text.txt", "--model", "tiny", "--max-length", "24", "--threads", "1", "--max-steps", "5", "--eval-strategy", "steps", "--eval-steps", "5", "--logging-steps", "1",
            "--save-strategy", "no", "--validation-split-percentage", "20", "--per-device-eval-batch-size", "4", "--report-to", "none"];
        AttuneVerb.Run(_folder, [.. same, "--per-device-train-batch-size", "6", "--output-dir", "alone"]).Good();
        MpiRun.Run(_folder, launcher, 3, [.. same, "--per-device-train-batch-size", "2", "--output-dir", "together"]).Good();
        AssertClose("alone", "together");
        string[] learned = ["pretrain", "--train-file", "text.txt", "--model-config", "tiny", "--vocab-size", "100", "--max-length", "24", "--threads", "1", "--max-steps", "1", "--save-strategy", "no", "--report-to", "none"];
        AttuneVerb.Run(_folder, [.. learned, "--output-dir", "new"]).Good();
        MpiRun.Run(_folder, launcher, 2, [.. learned, "--output-dir", "new-together"]).Good();
        Assert.Equal(File.ReadAllText(Path.Combine(_folder, "new", "vocab.txt")), File.ReadAllText(Path.Combine(_folder, "new-together", "vocab.txt")));
    }

    [Theory, MemberData(nameof(OpenMpi))]
    public void Kill_OfAnyProcess_EndsTheJobAndTheNextGoesOnToTheBit(string launcher)
    {
        MpiRun.Require(launcher);
        string[] words = ["train", .. Model, "--per-device-train-batch-size", "2", "--lr-scheduler-type", "constant", "--save-strategy", "steps", "--save-steps", "10", "--save-total-limit", "2", "--logging-steps", "1"];
        for (var kill = 0; kill < (IsLong ? 10 : 1); kill++)
            for (var rank = IsLong ? 0 : 1; rank < (IsLong ? 3 : 2); rank++)
            {
                var name = $"killed-{rank}-{kill}";
                // It does not end by itself: the kill may come as late as it will.
                using (var run = MpiRun.Start(_folder, launcher, 3, [.. words, "--max-steps", "1000000", "--output-dir", name]))
                {
                    run.WaitFor($"step {12 + kill} ");
                    StartedProgram.Signal(MpiRun.Ranks(name)[rank], "KILL");
                    Assert.NotEqual(0, run.Wait().Code);
                }
                var updates = $"{CheckpointFiles.Step(Checkpoint.Find("auto", Path.Combine(_folder, name), _ => { })!) + 3}";
                Assert.Equal(0, MpiRun.Run(_folder, launcher, 3, [.. words, "--max-steps", updates, "--output-dir", name, "--resume-from-checkpoint", "auto"]).Code);
                Assert.Equal(0, MpiRun.Run(_folder, launcher, 3, [.. words, "--max-steps", updates, "--output-dir", $"whole-{name}"]).Code);
                Assert.Equal(Hash($"whole-{name}"), Hash(name));
            }
    }

    [Theory, MemberData(nameof(Mpich))]
    public void Hang_OfAProcess_EndsTheJobWithItsName(string launcher)
    {
        MpiRun.Require(launcher);
        foreach (var rank in IsLong ? [0, 1, 2] : new[] { 2 })
        {
            using var run = MpiRun.Start(_folder, launcher, 3, ["train", .. Model, "--per-device-train-batch-size", "2", "--max-steps", "1000000", "--logging-steps", "10", "--save-strategy", "no",
                "--ddp-timeout", "5", "--output-dir", $"hung-{rank}"]);
            run.WaitFor("step 20 ");
            StartedProgram.Signal(MpiRun.Ranks($"hung-{rank}")[rank], "STOP");
            var result = run.Wait();
            Assert.NotEqual(0, result.Code);
            Assert.Contains($"rank {rank} on {Environment.MachineName} has not answered for", result.Said, StringComparison.Ordinal);
        }
    }

    [Theory, InlineData("mpirun.openmpi", 0), InlineData("mpirun.mpich", 1)]
    public void Term_ToAnyProcess_StopsAllWithOneCheckpoint(string launcher, int rank)
    {
        MpiRun.Require(launcher);
        using var run = MpiRun.Start(_folder, launcher, 2, ["train", .. Model, "--per-device-train-batch-size", "2", "--max-steps", "1000000", "--logging-steps", "10", "--save-strategy", "no", "--output-dir", "run"]);
        run.WaitFor("step 20 ");
        AssertOwnCode("run");
        StartedProgram.Signal(MpiRun.Ranks("run")[rank], "TERM");
        Assert.Equal(75, run.Wait().Code);
        var checkpoint = Assert.Single(Directory.GetDirectories(Path.Combine(_folder, "run"), "checkpoint-*"));
        Assert.Null(CheckpointManifest.Problem(checkpoint));
    }

    [Fact]
    public void Launch_TermAndUsr1_ReachAllProcesses()
    {
        Assert.SkipUnless(MpiRun.Launchers.Count > 0, "No MPI is installed here.");
        foreach (var launcher in MpiRun.Launchers)
        {
            var name = $"by-{launcher}";
            using var run = MpiRun.Launch(_folder, ["--nproc", IsLong ? "3" : "2", "--mpirun", launcher], ["train", .. Model, "--per-device-train-batch-size", "2", "--max-steps", "1000000", "--logging-steps", "10", "--save-strategy", "no", "--output-dir", name]);
            run.WaitFor("step 20 ");
            StartedProgram.Signal(run.Id, "USR1");
            var folder = Path.Combine(_folder, name);
            while (Directory.GetDirectories(folder, "checkpoint-*").Length == 0)
            {
                Assert.False(run.HasEnded, run.Said);
                Thread.Sleep(5);
            }
            Thread.Sleep(500);                                             // mpirun hands it on to one after the other
            Assert.Single(Directory.GetDirectories(folder, "checkpoint-*"));
            StartedProgram.Signal(run.Id, "TERM");
            Assert.Equal(75, run.Wait().Code);
            Assert.Equal(2, Directory.GetDirectories(folder, "checkpoint-*").Length);
        }
    }

    [Fact]
    public void FullDisk_OfTheFolder_CommitsNothingAndGoesOn()
    {
        Assert.SkipUnless(MpiRun.Launchers.Count > 0, "No MPI is installed here.");
        var disk = Path.Combine(_folder, "disk");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Sh($"mount -t tmpfs -o size=16m tmpfs '{disk}'") == 0, "A small disk needs the right to mount one.");
        try
        {
            // A run that has one checkpoint, and then something else fills the disk: there is room to begin, and none for what a checkpoint may need.
            string[] words = ["train", .. Model, "--lr-scheduler-type", "constant", "--save-strategy", "steps", "--save-steps", "10"];
            AttuneVerb.Run(_folder, [.. words, "--per-device-train-batch-size", "4", "--max-steps", "10", "--output-dir", "begun"]).Good();
            var first = Directory.CreateDirectory(Path.Combine(disk, "run", "checkpoint-10")).FullName;
            foreach (var file in Directory.GetFiles(Path.Combine(_folder, "begun", "checkpoint-10"))) File.Copy(file, Path.Combine(first, Path.GetFileName(file)));
            File.WriteAllBytes(Path.Combine(disk, "filler"), new byte[new DriveInfo(disk).AvailableFreeSpace - (1 << 20)]);
            var result = MpiRun.Run(_folder, MpiRun.Launchers[0], 2, [.. words, "--per-device-train-batch-size", "2", "--max-steps", "100", "--zero-stage", "1", "--resume-from-checkpoint", "auto",
                "--output-dir", Path.Combine("disk", "run")]);
            Assert.NotEqual(0, result.Code);                               // three in a row could not be written
            Assert.Contains("Training goes on without a checkpoint of update 20", result.Said, StringComparison.Ordinal);
            Assert.Contains("3 checkpoints in a row could not be written", result.Said, StringComparison.Ordinal);
            Assert.Equal([first], Directory.GetDirectories(Path.Combine(disk, "run"), "checkpoint-*"));
            Assert.Null(CheckpointManifest.Problem(first));
        }
        finally
        {
            Sh($"umount '{disk}'");
        }
    }

    [Theory, MemberData(nameof(Mpich))]
    public void Error_OfAllProcesses_IsSaidOnce(string launcher)
    {
        MpiRun.Require(launcher);
        var result = MpiRun.Run(_folder, launcher, 3, "train", "--model", "tiny", "--train-file", "none.csv", "--output-dir", "run");
        Assert.NotEqual(0, result.Code);
        Assert.Equal(1, (result.Said).Split("attune: ").Length - 1);
    }

    [Fact]
    public void Tokenize_SeveralProcesses_IsRefused()
    {
        Assert.SkipUnless(MpiRun.Launchers.Count > 0, "No MPI is installed here.");
        var result = MpiRun.Run(_folder, MpiRun.Launchers[0], 2, "tokenize", "--model", "tiny", "a text");
        Assert.NotEqual(0, result.Code);
        Assert.Contains("attune tokenize is done by one process, but mpi", result.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NoMpiLibrary_SaysSoInOneSentence()
    {
        var result = AttuneProcess.Run(_folder, ["train", .. Model, "--output-dir", "run"], null,
            ("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2"), ("ATTUNE_MPI_LIBRARY", "libnone.so"));
        Assert.Equal(1, result.Code);
        Assert.Equal("attune: Several processes need MPI, but no library of it can be loaded (libnone.so); install Open MPI or MPICH, or name the library in ATTUNE_MPI_LIBRARY.\n", result.Error);
    }

    /// <summary>UCX, which MPICH of Debian computes with, writes over the code of munmap when it starts, unless it is told not to: whoever is in it then dies.</summary>
    private static void AssertOwnCode(string outputDir)
    {
        foreach (var function in (string[])["mmap", "munmap", "madvise", "brk"])
            foreach (var rank in MpiRun.Ranks(outputDir)) Assert.Equal(LoadedCode.Of(Environment.ProcessId, function), LoadedCode.Of(rank, function));
    }

    private void Trained() => AttuneVerb.Run(_folder, "train", "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--max-steps", "3", "--output-dir", "run").Good();

    /// <summary>The loss scale of a checkpoint.</summary>
    private string Scale(string run, int step) => JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, run, $"checkpoint-{step}", CheckpointFiles.ResumeState)))!["loss_scale"]!.ToJsonString();

    private void AssertClose(string expected, string actual)
    {
        var (one, other) = (History(expected), History(actual));
        Assert.Equal(one.Count, other.Count);
        foreach (var (a, b) in one.Zip(other))
            foreach (var name in (string[])["loss", "eval_loss", "grad_norm"])
                if (a[name] is { } value) Assert.True(Math.Abs((double)value - (double)b[name]!) <= Tolerance * Math.Max(1, Math.Abs((double)value)), $"{actual}: {name} {b[name]} in place of {value}");
        var (x, y) = (Weights(expected), Weights(actual));
        Assert.Equal(x.Length, y.Length);
        Assert.True(x.Zip(y, (one, two) => Math.Abs(one - two)).Max() <= Tolerance, $"{actual}: the weights differ");
    }

    /// <summary>All numbers of a file of weights, which lie behind its header.</summary>
    private float[] Weights(string run)
    {
        var bytes = File.ReadAllBytes(Path.Combine(_folder, run, "model.safetensors"));
        return MemoryMarshal.Cast<byte, float>(bytes.AsSpan(8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes))).ToArray();
    }

    private List<JsonNode> History(string run) => [.. JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, run, "trainer_state.json")))!["log_history"]!.AsArray().Select(entry => entry!)];

    private string Hash(string run) => TinyModel.HashOf(Path.Combine(_folder, run));

    private static int Sh(string command)
    {
        using var shell = System.Diagnostics.Process.Start("sh", ["-c", command]);
        shell.WaitForExit();
        return shell.ExitCode;
    }
}
