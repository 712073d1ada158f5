using Attune.Kernels;
using Attune.Native;

namespace Attune.Models;

// Legend: M tokens whose logits were computed, V tokens of the vocabulary.

/// <summary>What a masked language model says of a batch, and the way back to the weights' gradients.</summary>
public sealed unsafe class MaskedLMOutput : IDisposable
{
    private readonly TokenPredictor _predictor;
    private readonly int[]? _targets;
    private readonly int _vocabulary;
    private TokenPredictor.Saved? _saved;

    internal MaskedLMOutput(TokenPredictor predictor, TokenPredictor.Saved? saved, int[] positions, int[]? targets)
    {
        (_predictor, _saved, _targets, _vocabulary, Positions) = (predictor, saved, targets, predictor.VocabularySize, positions);
        if (saved?.Read is { } read && targets is not null)
            LossSum = SoftmaxLoss.Sum(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), targets, _vocabulary);
        if (saved?.Pooled is { } pooled) Rows = LibTorch.Span(pooled.Rows).ToArray();
    }

    /// <summary>Places in the batch of the tokens whose logits were computed, ascending.</summary>
    public IReadOnlyList<int> Positions { get; }

    /// <summary>A copy of the logits, (tokens, vocabulary), a line for each of <see cref="Positions"/>; until backward has run.</summary>
    /// <exception cref="InvalidOperationException">Backward has run.</exception>
    public float[] Logits => Positions.Count == 0 ? []
        : LibTorch.Span((_saved?.Read ?? throw new InvalidOperationException("backward has run, and needed the place of the logits")).Logits).ToArray();

    /// <summary>Mean of the cross-entropies over the labels that are not -100; 0 where there are none, null where no labels were given.</summary>
    public double? Loss => _targets is null ? null : _targets.Length == 0 ? 0 : LossSum / _targets.Length;

    /// <summary>The sum of the losses.</summary>
    internal double LossSum { get; }

    /// <summary>What the model says of each row, (rows, hidden size); empty where it was not asked.</summary>
    internal float[] Rows { get; } = [];

    /// <summary>How many tokens have their largest logit at the label; until backward has run.</summary>
    internal int Right => _saved?.Read is { } read && _targets is { } targets ? SoftmaxLoss.Right(LibTorch.Floats(read.Logits), targets, _vocabulary) : 0;

    /// <summary>Draws a token for each of <see cref="Positions"/>, each by the probability that the model gives it.</summary>
    /// <param name="numbers">Of each position, from 0 to below 1.</param>
    internal int[] Draw(double[] numbers) => _saved?.Read is { } read ? SoftmaxLoss.Draw(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), numbers, _vocabulary) : [];

    /// <summary>Adds the gradients of all weights, of <see cref="Loss"/>. Once for each forward pass.</summary>
    /// <param name="scale">Factor of the loss, for example 1 / number of micro-batches.</param>
    /// <exception cref="InvalidOperationException">The model was not in training mode, there were no labels, or it ran already.</exception>
    public void Backward(double scale = 1)
    {
        if (_targets is null) throw new InvalidOperationException("there are no labels, so there is no loss to go back from");
        if (_targets.Length > 0) BackwardOfSum(scale / _targets.Length);
    }

    /// <summary>The same of the sum of the losses, for a mean over more tokens than these, and of a loss of the rows.</summary>
    /// <param name="scale">Factor of the sum.</param>
    /// <param name="rowsGradient">The gradient of <see cref="Rows"/>, as it is to be added.</param>
    internal void BackwardOfSum(double scale, ReadOnlySpan<float> rowsGradient = default)
    {
        if (_targets is null || _saved is not { Encoded: not null } saved) throw new InvalidOperationException("backward needs a forward pass in training mode with labels, and runs once for each");
        _saved = null;
        if (saved.Read is { } read) SoftmaxLoss.Backward(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), _targets, _vocabulary, scale);
        _predictor.Backward(saved, rowsGradient);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _saved?.Dispose();
        _saved = null;
    }
}
