using Attune.Native;

namespace Attune.Models;

// Legend: T tokens of the batch.

/// <summary>What a model says of which tokens of a batch have been replaced, and the way back to the weights' gradients.</summary>
public sealed class ReplacedTokenOutput : IDisposable
{
    private readonly ElectraForPreTraining _model;
    private readonly int[]? _labels;
    private ElectraForPreTraining.Saved? _saved;

    internal ReplacedTokenOutput(ElectraForPreTraining model, ElectraForPreTraining.Saved saved, int[]? labels)
    {
        (_model, _saved, _labels, Logits) = (model, saved, labels, LibTorch.Span(saved.Read.Logits).ToArray());
        foreach (var (token, label) in (labels ?? []).Index())
        {
            if (label == MaskedTokens.Ignored) continue;
            double logit = Logits[token];
            Count++;
            // -log sigmoid(logit) where it has been replaced, -log(1 - sigmoid(logit)) where not, so that nothing overflows.
            LossSum += Math.Max(logit, 0) - logit * label + Math.Log(1 + Math.Exp(-Math.Abs(logit)));
            if (logit > 0 == (label == 1)) Right++;
        }
    }

    /// <summary>The logit of each token of the batch, (tokens): above 0 it is rather one that has been replaced.</summary>
    public float[] Logits { get; }

    /// <summary>Mean of the binary cross-entropies over the labels that are not -100; 0 where there are none, null where no labels were given.</summary>
    public double? Loss => _labels is null ? null : Count == 0 ? 0 : LossSum / Count;

    /// <summary>The sum of the losses.</summary>
    internal double LossSum { get; }

    /// <summary>How many tokens count.</summary>
    internal int Count { get; }

    /// <summary>Of how many of these the logit is on the right side.</summary>
    internal int Right { get; }

    /// <summary>Adds the gradients of the weights, of <see cref="Loss"/>. Once for each forward pass.</summary>
    /// <param name="scale">Factor of the loss, for example 1 / number of micro-batches.</param>
    /// <exception cref="InvalidOperationException">The model was not in training mode, there were no labels, or it ran already.</exception>
    public void Backward(double scale = 1) => BackwardOfSum(scale / Math.Max(1, Count));

    /// <summary>The same of the sum of the losses, for a mean over more tokens than these.</summary>
    /// <param name="scale">Factor of the sum.</param>
    internal void BackwardOfSum(double scale)
    {
        if (_labels is null || _saved is not { Encoded: not null } saved) throw new InvalidOperationException("backward needs a forward pass in training mode with labels, and runs once for each");
        _saved = null;
        foreach (var (token, label) in _labels.Index())
            LibTorch.Span(saved.Read.Logits)[token] = label == MaskedTokens.Ignored ? 0 : (float)((1 / (1 + Math.Exp(-Logits[token])) - label) * scale);
        _model.Backward(saved);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _saved?.Dispose();
        _saved = null;
    }
}
