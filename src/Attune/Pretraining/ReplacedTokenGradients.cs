using Attune.Batching;
using Attune.Distributed;
using Attune.Models;
using Attune.Training;

namespace Attune.Pretraining;

/// <summary>
/// The gradients of batches in which a generator finds hidden tokens, and the model then finds those that the generator has put in place of the right ones. The
/// loss of a batch is the mean over its hidden tokens, and that over all its tokens with its weight, whatever parts it is cut into.
/// </summary>
/// <param name="model">With a generator. Its gradients are added to; its dropout key says which update it is.</param>
/// <param name="collator">Hides tokens.</param>
/// <param name="data">The training rows.</param>
/// <param name="shares">Which rows of a batch this process computes.</param>
/// <param name="weight">With which the second counts.</param>
internal sealed class ReplacedTokenGradients(
    ElectraForPreTraining model, DataCollatorForLanguageModeling collator, TokenizedDataset data, RowShares? shares, double weight) : RowGradients
{
    private readonly MaskedParts _masked = new(model, collator, data);
    private readonly Communicator _processes = shares?.Processes ?? Communicator.Single;

    internal override BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts)
    {
        var own = shares?.Of(rows) ?? Range.All;
        var parts = rows[own] is [] ? [] : _masked.Of(rows[own], firstRowNumber + own.Start.Value, cuts);
        var hidden = _masked.HiddenTokens(rows, firstRowNumber, parts, isAlone: _processes.Size == 1);
        var tokens = rows.Sum(row => (long)data.Rows[row].Length);
        var (seed, update) = model.DropoutKey;
        BatchLoss loss = 0;
        foreach (var (i, (batch, masked)) in parts.Index())
        {
            using var proposed = model.Generate(batch, masked);
            loss += MaskedParts.Loss(proposed.LossOnDevice, () => proposed.LossSum, share / hidden);
            var drawn = ReplacedTokens.Draw(batch, proposed, seed, update);                // before backward, which takes the place of the logits,
            if (masked.Count > 0) proposed.BackwardOfSum(share / hidden);                  // and reads the batch as it was
            using var found = model.Forward(batch, ReplacedTokens.Put(batch, masked, drawn));
            loss += MaskedParts.Loss(found.LossOnDevice, () => found.LossSum, weight * share / tokens);
            if (i == parts.Count - 1) LastBackward?.Invoke();
            found.BackwardOfSum(weight * share / tokens);
        }
        return loss;
    }
}
