namespace Attune.Inference;

/// <summary>A batch that has been computed.</summary>
/// <param name="Rows">Its rows.</param>
/// <param name="Tokens">The tokens of all rows.</param>
/// <param name="Duration">How long it took.</param>
internal readonly record struct BatchReport(int Rows, int Tokens, TimeSpan Duration);
