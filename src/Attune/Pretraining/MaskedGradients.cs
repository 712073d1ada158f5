using Attune.Batching;
using Attune.Distributed;
using Attune.Models;
using Attune.Profiling;
using Attune.Training;

namespace Attune.Pretraining;

/// <summary>The gradients of batches whose hidden tokens are to be found. The loss of a batch is the mean over its hidden tokens, whatever parts it is cut into.</summary>
/// <param name="model">Its gradients are added to; its dropout key says which update it is.</param>
/// <param name="collator">Hides tokens.</param>
/// <param name="data">The training rows.</param>
/// <param name="processes">That share out the rows of a batch.</param>
internal sealed class MaskedGradients(BertForMaskedLM model, DataCollatorForLanguageModeling collator, TokenizedDataset data, Communicator? processes = null) : RowGradients
{
    private readonly Communicator _processes = processes ?? Communicator.Single;

    internal override BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts)
    {
        var mine = Shards.Even(rows.Length, _processes.Size);
        var (first, end) = ((int)mine.First(_processes.Rank), (int)mine.First(_processes.Rank + 1));
        var parts = first == end ? [] : Masked(rows[first..end], firstRowNumber + first, cuts);
        // What is hidden hangs on the place of a row in the update alone, so each knows how many tokens the others have.
        var total = _processes.Size == 1 ? parts.Sum(part => part.Masked.Count) : Masked(rows, firstRowNumber, MicroBatches.Whole).Sum(part => part.Masked.Count);
        var sum = 0.0;
        foreach (var (batch, masked) in parts)
        {
            if (masked.Count == 0) continue;
            using var output = model.Forward(batch, masked.Positions, masked.Targets);
            sum += output.LossSum / total;
            output.BackwardOfSum(share / total);
        }
        return sum * share;
    }

    /// <summary>The parts of a batch, packed, with what is hidden in them: before the first goes through the model it is known how many tokens all have.</summary>
    private List<(Batch Batch, MaskedTokens Masked)> Masked(int[] rows, int firstRowNumber, MicroBatches cuts)
    {
        using var time = Profiler.Measure("data");
        var (seed, update) = model.DropoutKey;
        return [.. cuts.Of(data, rows).Select(range =>
        {
            var batch = data.Batch(rows[range], firstRowNumber + range.Start.Value);
            return (batch, collator.Mask(batch, seed, update));
        })];
    }
}
