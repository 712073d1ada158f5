using System.Runtime.InteropServices;
using Attune.Batching;
using Attune.Distributed;
using Attune.Models;
using Attune.Training;

namespace Attune.Pretraining;

/// <summary>
/// The gradients of batches whose hidden tokens are to be found, and whose rows are to be known by their neighbours where that is asked for. The loss of a batch
/// is the mean over its hidden tokens, and that over its rows with its weight, whatever parts it is cut into.
/// </summary>
/// <param name="model">Its gradients are added to; its dropout key says which update it is.</param>
/// <param name="collator">Hides tokens.</param>
/// <param name="data">The training rows.</param>
/// <param name="shares">Which rows of a batch this process computes; null for all.</param>
/// <param name="contrast">Compares rows; null where nothing does.</param>
/// <param name="contrastiveWeight">With which that counts.</param>
internal sealed class MaskedGradients(
    BertForMaskedLM model, DataCollatorForLanguageModeling collator, TokenizedDataset data, RowShares? shares = null, NeighbourContrast? contrast = null,
    double contrastiveWeight = 0) : RowGradients
{
    private readonly MaskedParts _masked = new(model, collator, data);
    private readonly Communicator _processes = shares?.Processes ?? Communicator.Single;

    /// <summary>Whether a batch can be computed once more without the other processes: not where rows are compared with theirs.</summary>
    internal override bool CanRepeat => _processes.Size == 1 || contrast is null;

    internal override BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts)
    {
        var own = shares?.Of(rows) ?? Range.All;
        var parts = rows[own] is [] ? [] : _masked.Of(rows[own], firstRowNumber + own.Start.Value, cuts);
        var total = _masked.HiddenTokens(rows, firstRowNumber, parts, isAlone: _processes.Size == 1);
        BatchLoss sum = 0;
        var (ofRows, rowsGradient, next) = (0.0, (float[]?)null, 0);
        if (contrast is not null && (parts.Count != 1 || _processes.Size > 1))
        {
            (ofRows, rowsGradient, next) = CompareParts(parts, rows, share);
            if (!_processes.IsFirst) ofRows = 0;                           // all have computed the same one
        }
        foreach (var (i, (batch, masked)) in parts.Index())
        {
            if (masked.Count == 0 && contrast is null) continue;
            using var output = model.Forward(batch, masked.Positions, masked.Targets, readsRows: contrast is not null);
            if (contrast is not null && rowsGradient is null) (ofRows, rowsGradient) = Compare(output.Rows, rows, share);
            sum += MaskedParts.Loss(output.LossOnDevice, () => output.LossSum, share / total);
            if (i == parts.Count - 1) LastBackward?.Invoke();
            output.BackwardOfSum(share / total, rowsGradient.AsSpan(next, output.Rows.Length));
            next += output.Rows.Length;
        }
        return sum + contrastiveWeight * ofRows * share;
    }

    /// <summary>
    /// Comparing rows needs them all before the first goes back: parts go through the model once for what it says of their rows, and once more for the gradients
    /// (Gao, Zhang, Han, Callan: "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021). Dropout and what is hidden are the same both
    /// times.
    /// </summary>
    private (double Loss, float[] Gradient, int First) CompareParts(List<(Batch Batch, MaskedTokens Masked)> parts, int[] rows, double share)
    {
        var mine = new List<float>();
        foreach (var (batch, _) in parts)
        {
            using var output = model.Forward(batch, [], null, readsRows: true);
            mine.AddRange(output.Rows);
        }
        var (all, first) = _processes.Concatenate(CollectionsMarshal.AsSpan(mine));
        var (loss, gradient) = Compare(all, rows, share);
        return (loss, gradient, first);
    }

    /// <summary>The loss of the rows, and its gradient as it is to be added.</summary>
    private (double Loss, float[] Gradient) Compare(float[] pooled, int[] rows, double share)
    {
        var gradient = new float[pooled.Length];
        var (loss, _, _) = contrast!.Of(pooled, rows, gradient);
        for (var i = 0; i < gradient.Length; i++) gradient[i] *= (float)(contrastiveWeight * share);
        return (loss, gradient);
    }
}
