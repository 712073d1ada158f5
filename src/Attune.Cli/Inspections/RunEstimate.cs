namespace Attune.Cli.Inspections;

/// <summary>What a run will probably take on this machine.</summary>
/// <param name="Parts">Where its time goes.</param>
/// <param name="PeakMemoryBytes">Resident memory of its process at its most.</param>
/// <param name="FreeMemoryBytes">What this process could have had when it began.</param>
/// <param name="UpdatesMeasured">From how many updates that is told.</param>
/// <param name="Notes">What it does not know.</param>
internal sealed record RunEstimate(
    IReadOnlyList<RunPart> Parts, long PeakMemoryBytes, long FreeMemoryBytes, int UpdatesMeasured, IReadOnlyList<string> Notes)
{
    /// <summary>From the start of the command to its end.</summary>
    internal double Seconds => Parts.Sum(part => part.Total);
}

/// <summary>Something that a run does.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Times">How often.</param>
/// <param name="Seconds">What it takes each time.</param>
internal sealed record RunPart(string Name, long Times, double Seconds)
{
    internal double Total => Times * Seconds;
}
