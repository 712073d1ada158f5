namespace Attune.Training;

/// <summary>What <see cref="Trainer.Train"/> gives.</summary>
/// <param name="GlobalStep">Optimizer updates made.</param>
/// <param name="TrainingLoss">Mean loss of all of them.</param>
/// <param name="Metrics">As logged at the end: <c>train_loss</c>, <c>train_runtime</c>, speeds, <c>total_flos</c>, <c>epoch</c>.</param>
/// <param name="Interrupted">Whether it was stopped from outside: a checkpoint is written, and the run can be resumed.</param>
public sealed record TrainOutput(long GlobalStep, double TrainingLoss, IReadOnlyDictionary<string, double> Metrics, bool Interrupted)
{
    /// <summary>Folder of the checkpoint that was written last; null where none was.</summary>
    public string? LastCheckpoint { get; init; }

    /// <summary>Most memory that the process held at any time so far, in bytes; 0 where the system does not say.</summary>
    public long PeakMemoryBytes { get; init; }

    /// <summary>What is known of the parts of it; on a graphics card these lie there.</summary>
    public TrainingMemory? Memory { get; init; }
}
