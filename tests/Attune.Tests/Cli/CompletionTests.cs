using System.Diagnostics;
using Attune.Cli;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

/// <summary>The script of bash, in bash; those of the other shells where they are installed.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("tr", "train")]
    [InlineData("train --eval-str", "--eval-strategy")]
    [InlineData("train --eval-strategy ", "no steps epoch")]
    [InlineData("train --eval-strategy e", "epoch")]
    [InlineData("train --eval-strategy = st", "steps")]
    [InlineData("train --group", "--group-by-length")]
    [InlineData("train --no-token", "--no-token-cache")]
    [InlineData("train --do-regression ", "true false")]
    [InlineData("predict --eval-str", "")]
    [InlineData("predict --print", "--print-config")]
    [InlineData("train --train-file ", "")]
    [InlineData("completion p", "pwsh")]
    [InlineData("help pu", "push")]
    public void Bash_Words_AreCompleted(string line, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "bash is not part of Windows.");
        using var folder = new TemporaryFolder();
        var script = folder.Write("attune.bash", Script("bash"));
        var words = string.Join(' ', line.Split(' ').Select(word => $"'{word}'"));
        Assert.Equal(expected, Run("bash", "-c", $"set -u; . '{script}'; COMP_WORDS=(attune {words}); COMP_CWORD={line.Split(' ').Length}; _attune; echo \"${{COMPREPLY[*]-}}\"").Trim());
    }

    [Theory]
    [InlineData("bash", "-n")]
    [InlineData("zsh", "-n")]
    public void Script_OfAShell_IsSyntacticallyRight(string shell, string check)
    {
        using var folder = new TemporaryFolder();
        var script = folder.Write("attune.sh", Script(shell));
        Assert.SkipUnless(IsThere(shell), $"{shell} is not installed.");
        Assert.Equal("", Run(shell, check, script));
    }

    [Theory, InlineData("zsh"), InlineData("pwsh")]
    public void Script_OfAnotherShell_HasEveryVerbAndOption(string shell)
    {
        var script = Script(shell);
        Assert.All(CommandLine.Verbs, verb => Assert.All(verb.Arguments, argument => Assert.Contains(argument.Option, script, StringComparison.Ordinal)));
        Assert.Contains("no steps epoch", script, StringComparison.Ordinal);
    }

    [Theory, InlineData(), InlineData("fish")]
    public void Completion_OtherShell_IsWrongUsage(params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal((ExitCode.Usage, "attune: attune completion takes the name of a shell: bash, zsh or pwsh.\n"), (terminal.Run(["completion", .. words]), terminal.Error));
    }

    /// <summary>The script holds one set of values for an option, whatever the verb.</summary>
    [Fact]
    public void Choices_OfAnOption_AreTheSameInEveryVerb() => Assert.All(
        CommandLine.Verbs.SelectMany(verb => verb.Arguments).GroupBy(argument => argument.Option),
        same => Assert.Single(same.Select(argument => string.Join(' ', argument.Choices) + argument.IsOptionalSwitch).Distinct()));

    private static string Script(string shell)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("completion", shell));
        return terminal.Out;
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Run(string program, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal("", error.GetAwaiter().GetResult());
        return output;
    }
}
