using Attune.Batching;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>What a classifier says of a batch, and the way back to the weights' gradients.</summary>
public sealed class SequenceClassifierOutput : IDisposable
{
    private readonly SequenceClassificationModel _model;
    private float[]? _gradient;
    private SequenceClassificationModel.Saved? _saved;
    private DeviceClassifier.Said? _onDevice;
    private Tensor? _logitsTensor;
    private float[]? _logits;

    internal SequenceClassifierOutput(SequenceClassificationModel model, float[] logits, int columns, SequenceClassificationModel.Saved? saved)
    {
        (_model, _logits, Columns, _saved) = (model, logits, columns, saved);
    }

    /// <param name="model">That computed it.</param>
    /// <param name="onDevice">What a device says, its logits (rows, columns); belongs to the output.</param>
    /// <param name="columns">Number of them.</param>
    /// <param name="mayGoBack">Whether the pass was kept.</param>
    internal SequenceClassifierOutput(SequenceClassificationModel model, DeviceClassifier.Said onDevice, int columns, bool mayGoBack)
    {
        (_model, Columns) = (model, columns);
        if (mayGoBack) _onDevice = onDevice;
        else using (onDevice) _logits = LibTorch.Read(onDevice.Logits);
    }

    /// <summary>(rows, columns), row by row.</summary>
    public float[] Logits => _logits ??= LibTorch.Read(_onDevice!.Logits);

    /// <summary>Number of classes, or of numbers in a regression.</summary>
    public int Columns { get; }

    /// <summary>Mean over the rows; null where the batch has no labels.</summary>
    public double? Loss { get; private set; }

    /// <summary>The logits as a TorchSharp tensor (rows, columns) that asks for a gradient: for a loss of one's own.</summary>
    /// <example><code>
    /// using var loss = MyLoss(output.LogitsTensor);
    /// loss.backward();
    /// output.Backward();
    /// </code></example>
    public Tensor LogitsTensor => _logitsTensor ??= tensor(Logits, [Logits.Length / Columns, Columns], requires_grad: true).DetachFromDisposeScope();

    /// <summary>
    /// Adds the gradients of all weights: of <see cref="Loss"/>, or of the loss of one's own whose <c>backward()</c> has run on
    /// <see cref="LogitsTensor"/>. Once for each forward pass.
    /// </summary>
    /// <param name="scale">Factor of the loss, for example 1 / number of micro-batches.</param>
    /// <exception cref="InvalidOperationException">The model was not in training mode, there is no loss, or it ran already.</exception>
    public void Backward(double scale = 1)
    {
        if (_logitsTensor?.grad is { } own)
        {
            using (own) Backward(own.data<float>().ToArray(), scale);
            return;
        }
        Backward(_gradient ?? throw new InvalidOperationException("the batch has no labels, so there is no loss to go back from"), scale);
    }

    /// <summary>Adds the gradients of all weights.</summary>
    /// <param name="logitsGradient">Gradient of a loss with respect to the logits, (rows, columns).</param>
    /// <param name="scale">Its factor.</param>
    /// <exception cref="ArgumentException">It has another number of elements than the logits; the output can still go back.</exception>
    /// <exception cref="InvalidOperationException">The model was not in training mode, or it ran already.</exception>
    public void Backward(ReadOnlySpan<float> logitsGradient, double scale = 1)
    {
        if (logitsGradient.Length != Logits.Length)
            throw new ArgumentException($"the gradient has {logitsGradient.Length} elements and the logits {Logits.Length}", nameof(logitsGradient));
        if (_saved is null && _onDevice is null) throw new InvalidOperationException("backward needs a forward pass in training mode, and runs once for each");
        var (saved, onDevice) = (_saved, _onDevice);
        (_saved, _onDevice) = (null, null);
        var scaled = new float[logitsGradient.Length];
        for (var i = 0; i < scaled.Length; i++) scaled[i] = (float)(logitsGradient[i] * scale);
        if (saved is not null) _model.Backward(saved, scaled);
        else _model.Backward(onDevice!, scaled);
    }

    /// <summary>The logits where a device has them and can go back from there; else null.</summary>
    internal Tensor? OnDevice => _onDevice?.Logits;

    /// <summary>Adds the gradients of all weights of a loss that was computed from <see cref="OnDevice"/>.</summary>
    /// <param name="loss">One number with its way back.</param>
    /// <param name="scale">Its factor.</param>
    internal void BackwardFrom(Tensor loss, double scale)
    {
        using var said = _onDevice ?? throw new InvalidOperationException("backward needs a forward pass in training mode, and runs once for each");
        _onDevice = null;
        using var gradient = full_like(loss, scale);
        using (Profiling.Profiler.Measure("backward")) _model.OnDevice!.Backward(said, loss, gradient);
    }

    /// <summary>Computes <see cref="Loss"/> and its gradient.</summary>
    /// <exception cref="AttuneException">The labels do not fit the model, or the loss does not.</exception>
    internal void Learn(Labels labels, LossOptions options)
    {
        var problem = _model.ProblemOf(labels);
        _gradient = new float[Logits.Length];
        Loss = ClassificationLoss.Compute(Logits, Columns, labels, problem, options, ClassificationLoss.Weight(labels, problem, options), _gradient);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _saved?.Dispose();
        _logitsTensor?.Dispose();
        _onDevice?.Dispose();
        (_saved, _logitsTensor, _onDevice) = (null, null, null);
    }
}
