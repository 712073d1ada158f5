namespace Attune.EndToEndTests;

/// <summary>The built program, run as a process of its own.</summary>
internal sealed class AttuneProcess : IDisposable
{
    private readonly StartedProgram _program;

    private AttuneProcess(StartedProgram program) => _program = program;

    /// <inheritdoc cref="StartedProgram.Error"/>
    internal string Error => _program.Error;

    /// <inheritdoc cref="StartedProgram.Id"/>
    internal int Id => _program.Id;

    /// <summary>Starts it without waiting.</summary>
    internal static AttuneProcess Start(string folder, params string[] words) => Start(folder, words, []);

    /// <summary>Starts it with further variables of the environment, without waiting.</summary>
    internal static AttuneProcess Start(string folder, string[] words, params (string Name, string Value)[] environment) =>
        new(new StartedProgram(folder, [StartedProgram.Executable, .. words], environment: environment));

    /// <summary>Starts it with a standard input that does not end, without waiting.</summary>
    internal static AttuneProcess StartWithOpenInput(string folder, string[] words, string input) =>
        new(new StartedProgram(folder, [StartedProgram.Executable, .. words], input, closesInput: false));

    /// <summary>Runs it to its end.</summary>
    internal static Result Run(string folder, params string[] words) => Run(folder, words, null);

    /// <summary>Runs it to its end with standard input and further variables of the environment.</summary>
    internal static Result Run(string folder, string[] words, string? input, params (string Name, string Value)[] environment)
    {
        using var program = new StartedProgram(folder, [StartedProgram.Executable, .. words], input, environment);
        return program.Wait();
    }

    /// <summary>Runs it under another program, such as one that traces it.</summary>
    internal static Result RunUnder(string folder, string[] under, string[] words)
    {
        using var program = new StartedProgram(folder, [.. under, StartedProgram.Executable, .. words]);
        return program.Wait();
    }

    /// <summary>Waits until standard error says something.</summary>
    internal void WaitFor(string text) => _program.WaitFor(text);

    /// <summary>Sends a signal, such as INT or TERM.</summary>
    internal void Signal(string name) => StartedProgram.Signal(Id, name);

    /// <summary>Waits for its end.</summary>
    internal Result Wait() => _program.Wait();

    public void Dispose() => _program.Dispose();
}
