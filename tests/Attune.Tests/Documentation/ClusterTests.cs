using System.Diagnostics;
using Attune.Cli;
using Attune.Tests.Cli;
using YamlDotNet.RepresentationModel;

namespace Attune.Tests.Documentation;

/// <summary>The files for Slurm and Kubernetes are well formed, and call the command as it is.</summary>
public sealed class ClusterTests
{
    private static readonly string Deploy = Path.Combine(Golden.Root, "deploy");

    private static string Slurm => File.ReadAllText(Path.Combine(Deploy, "attune-train.slurm"));

    [Fact]
    public void Slurm_Script_IsAShellScriptWhoseCommandIsUnderstood()
    {
        if (File.Exists("/bin/bash"))
        {
            using var bash = Process.Start("/bin/bash", ["-n", Path.Combine(Deploy, "attune-train.slurm")]);
            bash.WaitForExit();
            Assert.Equal(0, bash.ExitCode);
        }
        var text = Slurm.Replace("\\\n", " ", StringComparison.Ordinal);
        var command = Assert.Single(text.Split('\n'), line => line.StartsWith("srun ", StringComparison.Ordinal));
        Understood(command[(command.IndexOf(" attune ", StringComparison.Ordinal) + " attune ".Length)..].TrimEnd('&', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("--kill-on-bad-exit=1", command, StringComparison.Ordinal);
        Assert.Contains($"-eq {ExitCode.TryAgain} ]; then scontrol requeue", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Slurm_Settings_StandBeforeTheFirstCommand()
    {
        // sbatch reads no setting behind it.
        var lines = Slurm.Split('\n');
        var first = Array.FindIndex(lines, line => line.Length > 0 && line[0] != '#');
        Assert.True(Array.FindLastIndex(lines, line => line.StartsWith("#SBATCH ", StringComparison.Ordinal)) < first);
    }

    [Fact]
    public void MpiJob_Yaml_HasWhatTheOperatorAsksForAndACommandThatIsUnderstood()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(Deploy, "attune-train.mpijob.yaml"))));
        var job = Assert.Single(yaml.Documents).RootNode;
        Assert.Equal(("kubeflow.org/v2beta1", "MPIJob"), ((string?)job["apiVersion"], (string?)job["kind"]));
        var (launcher, worker) = (job["spec"]["mpiReplicaSpecs"]["Launcher"], job["spec"]["mpiReplicaSpecs"]["Worker"]);
        string[] words = [.. Words(Container(launcher)["command"]), .. Words(Container(launcher)["args"])];
        Assert.Equal("attune", words[0]);
        Understood(words[1..]);
        Understood(words[(Array.IndexOf(words, "--") + 1)..]);
        // As many processes as there are places for them.
        Assert.Equal(int.Parse((string)worker["replicas"]!, System.Globalization.CultureInfo.InvariantCulture) * int.Parse((string)job["spec"]["slotsPerWorker"]!, System.Globalization.CultureInfo.InvariantCulture),
            int.Parse(words[Array.IndexOf(words, "--nproc") + 1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((string?)Container(launcher)["image"], (string?)Container(worker)["image"]);
    }

    [Theory]
    [InlineData("mpirun (Open MPI) 4.1.4\n", "-np 4 --bind-to none", null, 8)]
    [InlineData("mpirun (Open MPI) 5.0.9\n", "-np 4 --oversubscribe --bind-to none", null, 2)]
    [InlineData("mpirun (Open MPI) 4.1.4\n", "-np 4 --hostfile hosts --map-by node --bind-to none", "hosts", 2)]
    [InlineData("HYDRA build details:\n    Version: 4.0.2\n", "-n 4", null, 2)]
    [InlineData("Intel(R) MPI Library for Linux* OS, Version 2021.9\n", "-n 4 -f hosts", "hosts", 2)]
    public void Launcher_OfEachMpi_GetsItsOwnOptions(string version, string expected, string? hosts, int cores)
    {
        var words = new MpiLauncher("mpirun", MpiLauncher.KindOf(version)).Words(4, hosts, cores).Where(word => word != "--allow-run-as-root");
        Assert.Equal(expected, string.Join(' ', words));
    }

    [Theory]
    [InlineData("launch", "attune launch needs the command to start")]
    [InlineData("launch -- tokenize x", "attune launch starts train, pretrain, evaluate, predict in several processes, not tokenize.")]
    [InlineData("launch --nproc 0 -- train", "nproc is 0; it must be at least 1.")]
    [InlineData("launch --mpirun /no/mpirun -- train", "/no/mpirun cannot be started; name the launcher of an installed MPI by --mpirun.")]
    public void Launch_WordsThatMakeNoSense_AreRefused(string words, string message)
    {
        var terminal = new RecordingTerminal();
        Assert.NotEqual(ExitCode.Success, terminal.Run(words.Split(' ')));
        Assert.Contains(message, terminal.Error, StringComparison.Ordinal);
    }

    /// <summary>Reads all words, and begins nothing.</summary>
    private static void Understood(string[] words)
    {
        var terminal = new RecordingTerminal();
        var end = Array.IndexOf(words, "--");
        Assert.True(terminal.Run([.. end < 0 ? words : words[..end], "--print-config"]) == ExitCode.Success, terminal.Error);
    }

    private static YamlNode Container(YamlNode replica) => ((YamlSequenceNode)replica["template"]["spec"]["containers"]).Children[0];

    private static IEnumerable<string> Words(YamlNode list) => ((YamlSequenceNode)list).Children.Select(word => (string)word!);
}
