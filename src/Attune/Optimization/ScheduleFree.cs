using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Schedule-free learning (Defazio et al., 2024, as the package schedulefree 1.4): gradients are taken between a fast sequence of weights
/// and its average; the average is the model. It takes the place of a schedule, so the rate should be constant.
/// </summary>
/// <remarks>
/// The model's weights are those that gradients are taken at: evaluate and write a model within <see cref="ShowAverage"/>, but take steps and write a
/// checkpoint of a loop outside of it, for to go on needs these weights and not their average. The Trainer does so by itself.
/// </remarks>
public sealed class ScheduleFree : Optimizer
{
    private const string WeightSum = "weight_sum", HighestRate = "lr_max";

    private readonly ScheduleFreeSettings _settings;
    private readonly double _weightDecay;
    private readonly Tensor _fast;
    private readonly Tensor? _squares;
    private int _shown;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="settings">Null takes AdamW's constants.</param>
    /// <param name="weightDecay">Of the weights that decay; added to the step. Default 0.</param>
    public ScheduleFree(WeightStore weights, double learningRate = 5e-5, ScheduleFreeSettings? settings = null, double weightDecay = 0) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_settings, _weightDecay) = (settings ?? new ScheduleFreeSettings(), weightDecay);
        _fast = NewState("z", Trained.Count);
        if (_settings.Kind != ScheduleFreeKind.Sgd) _squares = NewState("exp_avg_sq", Trained.Count);
        (Numbers[WeightSum], Numbers[HighestRate]) = (0, -1);
    }

    internal override string Kind => "ScheduleFree" + _settings.Kind;

    /// <summary>The fast sequence.</summary>
    internal Tensor Fast => _fast;

    /// <summary>Whether the model has the average in the place of the weights that are trained.</summary>
    internal bool IsAverageShown => _shown > 0;

    /// <summary>Share of the average in the weights at which gradients are taken.</summary>
    internal double Beta1 => _settings.Beta1;

    /// <summary>Puts the average, which is the model, into the weights until the result is disposed; no step may be taken before.</summary>
    public IDisposable ShowAverage()
    {
        var average = new ScheduleFreeAverage(this);
        _shown++;
        return new Shown(this, average, average.Show());
    }

    private protected override bool Apply(double gradientFactor)
    {
        if (StepCount == 1) StartFast();
        var correction = 1 - Math.Pow(_settings.Beta2, StepCount);
        var (warmth, isAdaptive) = _settings.Kind == ScheduleFreeKind.RAdam ? Rectified(correction)
            : (StepCount <= _settings.WarmupSteps ? StepCount / (double)_settings.WarmupSteps : 1, true);
        var rate = LearningRate * warmth;
        Numbers[HighestRate] = Math.Max(rate, Numbers[HighestRate]);
        var weight = Math.Pow(StepCount, _settings.R) * Math.Pow(Numbers[HighestRate], _settings.WeightLrPower);
        Numbers[WeightSum] += weight;
        var share = Numbers[WeightSum] == 0 ? 0 : weight / Numbers[WeightSum];
        var root = _squares is null || !isAdaptive ? 0 : Math.Sqrt(correction);
        Apply(run => new Rule(rate * run.RateFactor, run.Decays ? _weightDecay : 0, _settings, share, root), gradientFactor, _fast, _squares);
        return false;
    }

    /// <summary>The fast sequence starts at the weights as they are when training does.</summary>
    private void StartFast()
    {
        foreach (var run in Trained.Runs())
            LibTorch.Span(Weights.RawValues).Slice(checked((int)run.Offset), checked((int)run.Count)).CopyTo(LibTorch.Span(_fast)[checked((int)run.Place)..]);
    }

    /// <summary>RAdam's factor of the rate (Liu et al., 2020), and whether the squares are settled enough to divide by them; before that nothing moves.</summary>
    private (double Factor, bool IsAdaptive) Rectified(double correction)
    {
        var longest = 2 / (1 - _settings.Beta2) - 1;
        var length = longest - 2 * StepCount * (1 - correction) / correction;
        return length <= 4 ? (0, false) : (Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)), true);
    }

    private sealed class Shown(ScheduleFree optimizer, ScheduleFreeAverage average, IDisposable? showing) : IDisposable
    {
        private bool _isOver;

        public void Dispose()
        {
            if (_isOver) return;
            _isOver = true;
            optimizer._shown--;
            showing?.Dispose();
            average.Dispose();
        }
    }

    /// <param name="rate">Of this step.</param>
    /// <param name="weightDecay">Of these weights.</param>
    /// <param name="settings">The constants.</param>
    /// <param name="share">By which the average moves to the fast sequence.</param>
    /// <param name="root">Root of the squares' bias correction; 0 where the gradient is not divided.</param>
    private readonly struct Rule(double rate, double weightDecay, ScheduleFreeSettings settings, double share, double root) : IUpdateRule
    {
        private readonly bool _isAdaptive = root > 0;
        private readonly Vector<float> _rate = new((float)rate), _decay = new((float)weightDecay), _share = new((float)share);
        private readonly Vector<float> _step = new((float)(rate * (settings.Beta1 * (1 - share) - 1)));
        private readonly Vector<float> _beta2 = new((float)settings.Beta2), _share2 = new((float)(1 - settings.Beta2));
        private readonly Vector<float> _root = new((float)root), _epsilon = new((float)settings.Epsilon);

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> fast, ref Vector<float> square, ref Vector<float> third)
        {
            square = _beta2 * square + _share2 * gradient * gradient;
            if (_isAdaptive) gradient /= Vector.SquareRoot(square) / _root + _epsilon;
            gradient += _decay * value;
            value = value + _share * (fast - value) + _step * gradient;
            fast -= _rate * gradient;
        }
    }
}

/// <summary>What <see cref="ScheduleFree"/> does with gradients.</summary>
public enum ScheduleFreeKind
{
    /// <summary>Divides them as AdamW does.</summary>
    AdamW,
    /// <summary>The same with RAdam's warm-up, which needs no number of updates.</summary>
    RAdam,
    /// <summary>Takes them as they are.</summary>
    Sgd,
}

/// <summary>The constants of <see cref="ScheduleFree"/>.</summary>
/// <param name="Kind">Default AdamW.</param>
/// <param name="Beta1">Share of the average where gradients are taken, above 0 and below 1; the momentum of SGD. Default 0.9.</param>
/// <param name="Beta2">Decay of the squares' average. Default 0.999.</param>
/// <param name="Epsilon">Added to the root of the squares. Default 1e-8.</param>
/// <param name="WarmupSteps">Updates during which the rate climbs; without effect for RAdam. Default 0.</param>
/// <param name="R">Power of an update's number by which it counts in the average. Default 0.</param>
/// <param name="WeightLrPower">Power of the highest rate so far by which it counts. Default 2.</param>
public sealed record ScheduleFreeSettings(
    ScheduleFreeKind Kind = ScheduleFreeKind.AdamW, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, long WarmupSteps = 0, double R = 0,
    double WeightLrPower = 2);
