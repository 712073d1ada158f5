namespace Attune.Metrics;

/// <summary>The range in which a figure lies with a confidence of 95 of 100, unless where it comes from says otherwise.</summary>
/// <param name="Low">Its lower end; not a number where there is none.</param>
/// <param name="High">Its upper end.</param>
public readonly record struct Interval(double Low, double High);
