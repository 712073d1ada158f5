using System.Text.RegularExpressions;
using Attune.Cli;

namespace Attune.Tests.Documentation;

/// <summary>A remedy that names an option names one that exists.</summary>
public sealed partial class NamedOptionsTests
{
    [Fact]
    public void Messages_NameOnlyOptionsThatExist()
    {
        var known = CommandLine.Verbs.SelectMany(verb => verb.Arguments).SelectMany(argument => new[] { argument.Option, "--no-" + argument.Option[2..] })
            .Concat(["--config", "--print-config", "--help", "--version"])
            .Concat(["--map-by", "--oversubscribe", "--bind-to", "--allow-run-as-root", "--mpi", "--gpus"]).ToHashSet();         // of mpirun, srun and docker
        var source = Path.Combine(Golden.Root, "src");
        var named = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains(Path.DirectorySeparatorChar + "obj" + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            .SelectMany(file => Text().Matches(File.ReadAllText(file)).SelectMany(text => Named().Matches(text.Value)).Select(option => (file, option.Value)))
            .ToList();
        Assert.Contains(named, option => option.Value == "--on-bad-row");
        Assert.DoesNotContain(named, option => !known.Contains(option.Value));
    }

    [GeneratedRegex("\"[^\"\\n]*\"")]
    private static partial Regex Text();

    [GeneratedRegex(@"(?<=[\s("",;])--[a-z][a-z-]+[a-z](?![_\w])")]
    private static partial Regex Named();
}
