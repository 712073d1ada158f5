using Attune.Tests.Cli;

namespace Attune.EndToEndTests;

/// <summary>
/// A verb of the command, run in the process of the tests: everything but the start of a process, which takes longer than most of what is asked here. In the long
/// form it is the built program. That the program is started, ends with its exit code and writes to its streams is proven by the tests that use <see cref="AttuneProcess"/>.
/// </summary>
internal static class AttuneVerb
{
    // The working folder and the environment belong to the process, and libtorch's threads too.
    private static readonly Lock OneAtATime = new();
    private static readonly string Home = Environment.CurrentDirectory;

    /// <summary>Runs it to its end.</summary>
    internal static Result Run(string folder, params string[] words) => Run(folder, words, null);

    /// <summary>Runs it to its end with standard input and further variables of the environment.</summary>
    internal static Result Run(string folder, string[] words, string? input, params (string Name, string Value)[] environment)
    {
        if (LongForm.IsAsked) return AttuneProcess.Run(folder, words, input, environment);
        lock (OneAtATime)
        {
            var variables = StartedProgram.Environment(folder, environment);
            try
            {
                foreach (var (name, value) in variables) Environment.SetEnvironmentVariable(name, value);
                Environment.CurrentDirectory = folder;
                var terminal = new RecordingTerminal(input: input ?? "");
                var code = terminal.Run(words);
                return new Result(code, terminal.Out, terminal.Error);
            }
            finally
            {
                Environment.CurrentDirectory = Home;
                foreach (var name in variables.Keys) Environment.SetEnvironmentVariable(name, StartedProgram.OwnVariable(name));
            }
        }
    }
}
