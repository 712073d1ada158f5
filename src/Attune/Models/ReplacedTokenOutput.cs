using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens of the batch.

/// <summary>What a model says of which tokens of a batch have been replaced, and the way back to the weights' gradients.</summary>
public sealed class ReplacedTokenOutput : IDisposable
{
    private readonly ElectraForPreTraining _model;
    private readonly int[]? _labels;
    private readonly bool _canGoBack;
    private readonly double _lossSum;
    private ElectraForPreTraining.Saved? _saved;
    private DeviceReplacedTokens.Said? _onDevice;
    private float[]? _logits;

    internal ReplacedTokenOutput(ElectraForPreTraining model, ElectraForPreTraining.Saved saved, int[]? labels)
    {
        (_model, _saved, _labels, _canGoBack, _logits) = (model, saved, labels, saved.Encoded is not null, LibTorch.Span(saved.Read.Logits).ToArray());
        foreach (var (token, label) in (labels ?? []).Index())
        {
            if (label == MaskedTokens.Ignored) continue;
            double logit = _logits[token];
            // -log sigmoid(logit) where it has been replaced, -log(1 - sigmoid(logit)) where not, so that nothing overflows.
            _lossSum += Math.Max(logit, 0) - logit * label + Math.Log(1 + Math.Exp(-Math.Abs(logit)));
        }
    }

    internal ReplacedTokenOutput(ElectraForPreTraining model, DeviceReplacedTokens.Said onDevice, int[]? labels, bool isTraining) =>
        (_model, _onDevice, _labels, _canGoBack) = (model, onDevice, labels, isTraining);

    /// <summary>The logit of each token of the batch, (tokens): above 0 it is rather one that has been replaced.</summary>
    /// <exception cref="InvalidOperationException">A device has them, and backward has run.</exception>
    public float[] Logits => _logits ??= LibTorch.Read((_onDevice ?? throw new InvalidOperationException("backward has run, and let the logits go")).Logits);

    /// <summary>Mean of the binary cross-entropies over the labels that are not -100; 0 where there are none, null where no labels were given.</summary>
    public double? Loss => _labels is null ? null : Count == 0 ? 0 : LossSum / Count;

    /// <summary>The sum of the losses; waits for the device that computes.</summary>
    internal double LossSum => LossOnDevice?.item<float>() ?? _lossSum;

    /// <summary>The same where a device has it, one number, until backward has run; else null.</summary>
    internal Tensor? LossOnDevice => _onDevice?.Loss;

    /// <summary>Of how many tokens the logit is on the right side.</summary>
    internal int Right => _labels is null ? 0 : Logits.Zip(_labels).Count(pair => pair.Second != MaskedTokens.Ignored && pair.First > 0 == (pair.Second == 1));

    private int Count => _labels?.Count(label => label != MaskedTokens.Ignored) ?? 0;

    /// <summary>Adds the gradients of the weights, of <see cref="Loss"/>. Once for each forward pass.</summary>
    /// <param name="scale">Factor of the loss, for example 1 / number of micro-batches.</param>
    /// <exception cref="InvalidOperationException">The model was not in training mode, there were no labels, or it ran already.</exception>
    public void Backward(double scale = 1) => BackwardOfSum(scale / Math.Max(1, Count));

    /// <summary>The same of the sum of the losses, for a mean over more tokens than these.</summary>
    /// <param name="scale">Factor of the sum.</param>
    internal void BackwardOfSum(double scale)
    {
        if (_labels is null || !_canGoBack || _saved is null && _onDevice is null)
            throw new InvalidOperationException("backward needs a forward pass in training mode with labels, and runs once for each");
        var (saved, onDevice) = (_saved, _onDevice);
        (_saved, _onDevice) = (null, null);
        if (saved is null)
        {
            _model.Backward(onDevice!, scale);
            return;
        }
        var gradient = LibTorch.Span(saved.Read.Logits);
        foreach (var (token, label) in _labels.Index()) gradient[token] = label == MaskedTokens.Ignored ? 0 : (float)((1 / (1 + Math.Exp(-gradient[token])) - label) * scale);
        _model.Backward(saved);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _saved?.Dispose();
        _onDevice?.Dispose();
        (_saved, _onDevice) = (null, null);
    }
}
