using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: M tokens whose logits were computed, V tokens of the vocabulary.

/// <summary>What a masked language model says of a batch, and the way back to the weights' gradients.</summary>
public sealed unsafe class MaskedLMOutput : IDisposable
{
    private readonly TokenPredictor _predictor;
    private readonly int[]? _targets;
    private readonly int _vocabulary;
    private readonly bool _canGoBack;
    private readonly double _lossSum;
    private TokenPredictor.Saved? _saved;
    private DeviceTokenPredictor.Said? _onDevice;

    internal MaskedLMOutput(TokenPredictor predictor, TokenPredictor.Saved? saved, int[] positions, int[]? targets) : this(predictor, positions, targets)
    {
        (_saved, _canGoBack) = (saved, saved?.Encoded is not null);
        if (saved?.Read is { } read && targets is not null)
            _lossSum = SoftmaxLoss.Sum(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), targets, _vocabulary);
        if (saved?.Pooled is { } pooled) Rows = LibTorch.Span(pooled.Rows).ToArray();
    }

    internal MaskedLMOutput(TokenPredictor predictor, DeviceTokenPredictor.Said onDevice, int[] positions, int[]? targets, bool isTraining) : this(predictor, positions, targets)
    {
        (_onDevice, _canGoBack) = (onDevice, isTraining);
        if (onDevice.Rows is { } rows) Rows = LibTorch.Read(rows);
    }

    private MaskedLMOutput(TokenPredictor predictor, int[] positions, int[]? targets) =>
        (_predictor, _targets, _vocabulary, Positions) = (predictor, targets, predictor.VocabularySize, positions);

    /// <summary>Places in the batch of the tokens whose logits were computed, ascending.</summary>
    public IReadOnlyList<int> Positions { get; }

    /// <summary>A copy of the logits, (tokens, vocabulary), a line for each of <see cref="Positions"/>; until backward has run.</summary>
    /// <exception cref="InvalidOperationException">Backward has run.</exception>
    public float[] Logits => Positions.Count == 0 ? [] : _onDevice is { } there ? LibTorch.Read(there.Logits!)
        : LibTorch.Span((_saved?.Read ?? throw new InvalidOperationException("backward has run, and needed the place of the logits")).Logits).ToArray();

    /// <summary>Mean of the cross-entropies over the labels that are not -100; 0 where there are none, null where no labels were given.</summary>
    public double? Loss => _targets is null ? null : _targets.Length == 0 ? 0 : LossSum / _targets.Length;

    /// <summary>The sum of the losses; waits for the device that computes.</summary>
    internal double LossSum => LossOnDevice?.item<float>() ?? _lossSum;

    /// <summary>The same where a device has it, one number, until backward has run; else null.</summary>
    internal Tensor? LossOnDevice => _onDevice?.Loss;

    /// <summary>What the model says of each row, (rows, hidden size); empty where it was not asked.</summary>
    internal float[] Rows { get; } = [];

    /// <summary>How many tokens have their largest logit at the label; until backward has run.</summary>
    internal int Right
    {
        get
        {
            if (_targets is not { Length: > 0 } targets) return 0;
            if (_onDevice is not { } there) return _saved?.Read is { } read ? SoftmaxLoss.Right(LibTorch.Floats(read.Logits), targets, _vocabulary) : 0;
            using var scope = NewDisposeScope();
            return (int)(there.Logits!.argmax(1) == tensor(targets, device: there.Logits.device)).sum().item<long>();
        }
    }

    /// <summary>Draws a token for each of <see cref="Positions"/>, each by the probability that the model gives it.</summary>
    /// <param name="numbers">Of each position, from 0 to below 1.</param>
    internal int[] Draw(double[] numbers)
    {
        if (Positions.Count == 0) return [];
        if (_onDevice is not { } there) return SoftmaxLoss.Draw(LibTorch.Floats(_saved!.Read!.Logits), LibTorch.Floats(_saved.Read.LogSums), numbers, _vocabulary);
        using var scope = NewDisposeScope();
        var passed = there.Logits!.detach().softmax(1).cumsum(1) <= tensor(Array.ConvertAll(numbers, number => (float)number), device: there.Logits.device).unsqueeze(1);
        return passed.sum(1).clamp_max(_vocabulary - 1).to(ScalarType.Int32).cpu().data<int>().ToArray();
    }

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
        if (_targets is null || !_canGoBack || _saved is null && _onDevice is null)
            throw new InvalidOperationException("backward needs a forward pass in training mode with labels, and runs once for each");
        if (_onDevice is { } there)
        {
            _onDevice = null;
            _predictor.Backward(there, scale, rowsGradient);
            return;
        }
        var saved = _saved!;
        _saved = null;
        if (saved.Read is { } read) SoftmaxLoss.Backward(LibTorch.Floats(read.Logits), LibTorch.Floats(read.LogSums), _targets, _vocabulary, scale);
        _predictor.Backward(saved, rowsGradient);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _saved?.Dispose();
        _onDevice?.Dispose();
        (_saved, _onDevice) = (null, null);
    }
}
