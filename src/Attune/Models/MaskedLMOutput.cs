using Attune.Kernels;
using Attune.Native;

namespace Attune.Models;

// Legend: M tokens whose logits were computed, V tokens of the vocabulary.

/// <summary>What a masked language model says of a batch, and the way back to the weights' gradients.</summary>
public sealed unsafe class MaskedLMOutput : IDisposable
{
    private readonly BertForMaskedLM _model;
    private readonly int[]? _targets;
    private readonly int _vocabulary;
    private readonly double _lossSum;
    private Encoder.Saved? _encoded;
    private MaskedLMHead.Saved? _read;

    internal MaskedLMOutput(BertForMaskedLM model, Encoder.Saved? encoded, MaskedLMHead.Saved? read, int[] positions, int[]? targets)
    {
        (_model, _encoded, _read, _targets, _vocabulary, Positions) = (model, encoded, read, targets, model.Config.VocabSize, positions);
        if (read is not null && targets is not null)
            _lossSum = SoftmaxLoss.Sum(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), targets, _vocabulary);
    }

    /// <summary>Places in the batch of the tokens whose logits were computed, ascending.</summary>
    public IReadOnlyList<int> Positions { get; }

    /// <summary>A copy of the logits, (tokens, vocabulary), a line for each of <see cref="Positions"/>; until backward has run.</summary>
    /// <exception cref="InvalidOperationException">Backward has run.</exception>
    public float[] Logits => Positions.Count == 0 ? []
        : LibTorch.Span((_read ?? throw new InvalidOperationException("backward has run, and needed the place of the logits")).Logits).ToArray();

    /// <summary>Mean of the cross-entropies over the labels that are not -100; 0 where there are none, null where no labels were given.</summary>
    public double? Loss => _targets is null ? null : _targets.Length == 0 ? 0 : _lossSum / _targets.Length;

    /// <summary>The sum of the losses.</summary>
    internal double LossSum => _lossSum;

    /// <summary>How many tokens have their largest logit at the label; until backward has run.</summary>
    internal int Right => _read is { } read && _targets is { } targets ? SoftmaxLoss.Right(LibTorch.Floats(read.Logits), targets, _vocabulary) : 0;

    /// <summary>Adds the gradients of all weights, of <see cref="Loss"/>. Once for each forward pass.</summary>
    /// <param name="scale">Factor of the loss, for example 1 / number of micro-batches.</param>
    /// <exception cref="InvalidOperationException">The model was not in training mode, there were no labels, or it ran already.</exception>
    public void Backward(double scale = 1)
    {
        if (_targets is null) throw new InvalidOperationException("there are no labels, so there is no loss to go back from");
        if (_targets.Length > 0) BackwardOfSum(scale / _targets.Length);
    }

    /// <summary>The same of the sum of the losses, for a mean over more tokens than these.</summary>
    internal void BackwardOfSum(double scale)
    {
        if (_targets is null || _encoded is not { } encoded || _read is not { } read)
            throw new InvalidOperationException("backward needs a forward pass in training mode with labels, and runs once for each");
        (_encoded, _read) = (null, null);
        SoftmaxLoss.Backward(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), _targets, _vocabulary, scale);
        _model.Backward(encoded, read);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoded?.Dispose();
        _read?.Dispose();
        (_encoded, _read) = (null, null);
    }
}
