namespace Attune.Cli;

/// <summary>How a run ended.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="IsCut">Whether it was ended from within the program, with a checkpoint from which it can go on.</param>
/// <param name="Log">What was logged, each entry with its step.</param>
internal sealed record RunOutcome(int Code, bool IsCut, IReadOnlyList<IReadOnlyDictionary<string, double>> Log);
