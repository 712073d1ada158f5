using Attune.Models;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>What a run's memory is taken by, in bytes.</summary>
/// <param name="Weights">The weights, in float32.</param>
/// <param name="Gradients">Their gradients.</param>
/// <param name="Optimizer">What the optimizer keeps of each weight, and an average of them where there is one.</param>
public sealed record TrainingMemory(long Weights, long Gradients, long Optimizer)
{
    /// <summary>Memory of the graphics card that was in use at the end, which is the most that libtorch has taken; null where no card computed.</summary>
    public long? Card { get; init; }

    internal static TrainingMemory Of(PreTrainedModel model, Optimizer optimizer, AveragedWeights? averaged)
    {
        var each = model.Weights.Count * sizeof(float);
        return new TrainingMemory(each, each, (optimizer.StateSize + (averaged?.Count ?? 0)) * sizeof(float))
        {
            Card = model.Weights.OnDevice?.Device is { type: TorchSharp.DeviceType.CUDA, index: var card } ? CardContext.UsedBytes(Math.Max(0, card)) : null,
        };
    }
}
