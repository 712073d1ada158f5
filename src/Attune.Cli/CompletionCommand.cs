using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune completion</c>: what makes a shell complete the command's words.</summary>
internal static class CompletionCommand
{
    internal static Verb Verb { get; } = new(
        "completion", "Prints a script that makes a shell complete verbs, options and their values.", ("SHELL", "bash, zsh or pwsh."),
        [new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["source <(attune completion bash)", "attune completion zsh > ~/.zfunc/_attune", "attune completion pwsh | Out-String | Invoke-Expression"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        values.Create<OutputArguments>().Apply(terminal);
        var table = new CompletionTable(CommandLine.Verbs);
        terminal.Result(values.Texts switch
        {
            ["bash"] => table.Bash(),
            ["zsh"] => table.Zsh(),
            ["pwsh"] => table.PowerShell(),
            _ => throw new UsageException("attune completion takes the name of a shell: bash, zsh or pwsh."),
        });
        return ExitCode.Success;
    }
}
