using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Turns gradients into new weights.</summary>
public abstract class Optimizer : IDisposable
{
    private readonly Dictionary<string, Tensor> _state = [];

    private protected Optimizer(WeightStore weights, double learningRate) =>
        (Weights, Trained, LearningRate) = (weights, new TrainedWeights(weights), learningRate);

    /// <summary>Rate of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>Number of steps taken.</summary>
    public long StepCount { get; internal set; }

    /// <summary>Its name in the files of checkpoints; must stay as it is, also where the class is renamed.</summary>
    internal abstract string Kind { get; }

    /// <summary>What must survive a restart besides <see cref="StepCount"/>: flat tensors in the order of the trained weights, by name.</summary>
    internal IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            FinishState();
            return _state;
        }
    }

    /// <summary>The same as addresses of their first elements and numbers of elements, for files.</summary>
    internal unsafe IEnumerable<(string Name, nint Address, long Count)> StateMemory =>
        State.Select(pair => (pair.Key, (nint)LibTorch.Floats(pair.Value), pair.Value.NumberOfElements));

    /// <summary>The weights that asked for a gradient when the optimizer was created: it touches no others.</summary>
    internal TrainedWeights Trained { get; }

    private protected WeightStore Weights { get; }

    /// <summary>Takes one step with the present gradients.</summary>
    /// <param name="gradientFactor">By which the gradients are multiplied first (clipping). Default 1.</param>
    public void Step(double gradientFactor = 1)
    {
        StepCount++;
        if (!Apply(gradientFactor)) Weights.SetChanged();
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGrad() => Weights.ClearGradients();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        foreach (var tensor in _state.Values) tensor.Dispose();
        _state.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Changes the weights.</summary>
    /// <returns>Whether <see cref="WeightStore.Rounded"/> has been changed along with them.</returns>
    private protected abstract bool Apply(double gradientFactor);

    /// <summary>Brings the state up to date where steps have put off a part of it.</summary>
    private protected virtual void FinishState()
    {
    }

    /// <summary>A flat tensor of zeros that belongs to the state.</summary>
    private protected Tensor NewState(string name, long count)
    {
        var tensor = LibTorch.Empty(count);
        LibTorch.Span(tensor).Clear();
        _state.Add(name, tensor);
        return tensor;
    }
}
