using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Turns gradients into new weights.</summary>
public abstract class Optimizer : IDisposable
{
    private const int OperationsPerElement = 16;

    private readonly Dictionary<string, Tensor> _state = [];

    private protected Optimizer(WeightStore weights, double learningRate) => (Weights, Trained, LearningRate) = (weights, new TrainedWeights(weights), learningRate);

    /// <summary>Rate of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>
    /// By what <see cref="LearningRate"/> is multiplied for a weight, as by groups of parameters in PyTorch; asked once for each weight. Default
    /// null: by 1.
    /// </summary>
    public Func<Weight, double>? RateFactorOf
    {
        get;
        init
        {
            field = value;
            if (value is not null) Trained.SetRateFactors(value);
        }
    }

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

    /// <summary>How many numbers the state has, wherever they lie; nothing is brought up to date for it.</summary>
    internal virtual long StateSize => _state.Values.Sum(tensor => tensor.NumberOfElements);

    /// <summary>Numbers that must survive a restart besides, by name.</summary>
    internal Dictionary<string, double> Numbers { get; } = [];

    /// <summary>The weights that asked for a gradient when the optimizer was created: it touches no others.</summary>
    internal TrainedWeights Trained { get; }

    /// <summary>The model's.</summary>
    internal WeightStore Weights { get; }

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

    /// <summary>Applies a rule to all weights, each run of them with its own.</summary>
    /// <param name="ruleOf">The rule of a run of weights that are alike.</param>
    /// <param name="gradientFactor">By which the gradients are multiplied first.</param>
    /// <param name="first">What is remembered of each weight; or null.</param>
    /// <param name="second">The same.</param>
    /// <param name="third">The same.</param>
    private protected unsafe void Apply<TRule>(
        Func<TrainedWeights.Run, TRule> ruleOf, double gradientFactor, Tensor? first = null, Tensor? second = null, Tensor? third = null)
        where TRule : struct, IUpdateRule
    {
        float* values = LibTorch.Floats(Weights.RawValues), gradients = LibTorch.Floats(Weights.RawGradients);
        float* a = Address(first), b = Address(second), c = Address(third);
        foreach (var run in Trained.Runs())
        {
            var rule = ruleOf(run);
            CpuLoop.Stretches(run.Count, OperationsPerElement, (from, end) =>
            {
                long at = run.Offset + from, place = run.Place + from;
                UpdateLoop.Run(rule, values + at, gradients + at, end - from, (float)gradientFactor, At(a, place), At(b, place), At(c, place));
            });
        }

        static float* Address(Tensor? state) => state is null ? null : LibTorch.Floats(state);

        static float* At(float* state, long place) => state is null ? null : state + place;
    }

    /// <summary>Brings the state up to date where steps have put off a part of it.</summary>
    private protected virtual void FinishState()
    {
    }

    /// <summary>A tensor of the state as it is; null where it is not made yet.</summary>
    private protected Tensor? FindState(string name) => _state.GetValueOrDefault(name);

    /// <summary>A flat tensor of zeros that belongs to the state.</summary>
    private protected Tensor NewState(string name, long count)
    {
        var tensor = LibTorch.Empty(count);
        LibTorch.Span(tensor).Clear();
        _state.Add(name, tensor);
        return tensor;
    }
}
