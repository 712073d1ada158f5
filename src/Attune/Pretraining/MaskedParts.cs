using Attune.Batching;
using Attune.Models;
using Attune.Profiling;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Pretraining;

/// <summary>The parts of batches of a training, packed, with what is hidden in them.</summary>
/// <param name="model">Its dropout key says which update it is.</param>
/// <param name="collator">Hides tokens.</param>
/// <param name="data">The training rows.</param>
internal sealed class MaskedParts(PreTrainedModel model, DataCollatorForLanguageModeling collator, TokenizedDataset data)
{
    /// <summary>Of rows: before the first part goes through the model it is known how many tokens all have.</summary>
    /// <param name="rows">Their numbers in the data set.</param>
    /// <param name="firstRowNumber">Number of the first of them within the update.</param>
    /// <param name="cuts">Into which parts they are cut.</param>
    internal List<(Batch Batch, MaskedTokens Masked)> Of(int[] rows, int firstRowNumber, MicroBatches cuts)
    {
        using var time = Profiler.Measure("data");
        var (seed, update) = model.DropoutKey;
        return [.. cuts.Of(data, rows).Select(range =>
        {
            var batch = data.Batch(rows[range], firstRowNumber + range.Start.Value);
            return (batch, collator.Mask(batch, seed, update));
        })];
    }

    /// <summary>How many tokens of rows are hidden; at least 1. That hangs on the place of a row in the update alone, so each process knows it of the others' rows.</summary>
    /// <param name="rows">Of the whole batch.</param>
    /// <param name="firstRowNumber">Number of the first of them within the update.</param>
    /// <param name="own">The parts of this process.</param>
    /// <param name="isAlone">Whether these are all.</param>
    internal int HiddenTokens(int[] rows, int firstRowNumber, List<(Batch Batch, MaskedTokens Masked)> own, bool isAlone) =>
        Math.Max(1, (isAlone ? own : Of(rows, firstRowNumber, MicroBatches.Whole)).Sum(part => part.Masked.Count));

    /// <summary>A loss that a device has, or one that is known, times a factor.</summary>
    internal static BatchLoss Loss(Tensor? onDevice, Func<double> known, double factor)
    {
        if (onDevice is null) return known() * factor;
        using var still = onDevice.detach();
        return BatchLoss.Of((still * factor).DetachFromDisposeScope());
    }
}
