using Attune.Batching;
using Attune.Models;
using Attune.Profiling;
using Attune.Training;

namespace Attune.Pretraining;

/// <summary>The gradients of batches whose hidden tokens are to be found. The loss of a batch is the mean over its hidden tokens, whatever parts it is cut into.</summary>
/// <param name="model">Its gradients are added to; its dropout key says which update it is.</param>
/// <param name="collator">Hides tokens.</param>
/// <param name="data">The training rows.</param>
/// <param name="shares">Which rows of a batch this process computes; null for all.</param>
internal sealed class MaskedGradients(BertForMaskedLM model, DataCollatorForLanguageModeling collator, TokenizedDataset data, RowShares? shares = null) : RowGradients
{
    internal override BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts)
    {
        var own = shares?.Of(rows) ?? Range.All;
        var parts = rows[own] is [] ? [] : Masked(rows[own], firstRowNumber + own.Start.Value, cuts);
        // What is hidden hangs on the place of a row in the update alone, so each knows how many tokens the others have.
        var total = shares is null or { AreWhole: true } ? parts.Sum(part => part.Masked.Count) : Masked(rows, firstRowNumber, MicroBatches.Whole).Sum(part => part.Masked.Count);
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
