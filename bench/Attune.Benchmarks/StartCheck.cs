using System.Globalization;

namespace Attune.Benchmarks;

/// <summary>The command as a user starts it, against a .NET program that writes one line, published in the same way: whole processes, taking turns.</summary>
internal sealed class StartCheck : Check
{
    private const double Target = 2;

    internal override string Name => "start";

    internal override string Summary => "attune --help and attune tokenize \"a b\", published: times as long as a .NET hello-world";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-start-").FullName;
        try
        {
            var hello = WholeProgram.Publish(WholeProgram.Hello(Path.Combine(folder, "source")), Path.Combine(folder, "hello"), "hello");
            var attune = WholeProgram.Publish(Samples.InRepository("src/Attune.Cli/Attune.Cli.csproj"), Path.Combine(folder, "attune"), "Attune.Cli");
            var empty = Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName;
            string[][] commands = [[hello], [attune, "--help"], [attune, "tokenize", "a b"]];
            var times = WholeProgram.Times(commands, empty);
            Facts["hello_ms"] = 1000 * Statistics.Median(times[0]);
            for (var i = 1; i < commands.Length; i++)
            {
                var (ratio, quick) = (Statistics.Median(times[i]) / Statistics.Median(times[0]), WholeProgram.Quartile(times[i]) / WholeProgram.Quartile(times[0]));
                yield return new($"attune {string.Join(' ', commands[i][1..])}", ratio, Target, "times hello-world", LowerIsBetter: true, Note: string.Create(
                    CultureInfo.InvariantCulture, $"medians {1000 * Statistics.Median(times[i]):F1} and {Facts["hello_ms"]:F1} ms of {WholeProgram.Rounds}; of the lower quartiles {quick:F2}"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
