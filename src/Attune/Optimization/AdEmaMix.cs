using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>AdEMAMix (Pagliardini et al., 2024): AdamW with a second, slow average of the gradients beside the fast one.</summary>
public sealed class AdEmaMix : Optimizer
{
    private readonly double _weightDecay;
    private readonly AdEmaMixSettings _settings;
    private readonly Tensor _fast, _slow, _squares;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="settings">Null takes the paper's.</param>
    /// <param name="weightDecay">Of the weights that decay; decoupled. Default 0.</param>
    public AdEmaMix(WeightStore weights, double learningRate = 5e-5, AdEmaMixSettings? settings = null, double weightDecay = 0) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_settings, _weightDecay) = (settings ?? new AdEmaMixSettings(), weightDecay);
        _fast = NewState("exp_avg", Trained.Count);
        _slow = NewState("exp_avg_slow", Trained.Count);
        _squares = NewState("exp_avg_sq", Trained.Count);
    }

    internal override string Kind => "AdEmaMix";

    private protected override bool Apply(double gradientFactor)
    {
        var now = _settings with { Alpha = _settings.AlphaAt(StepCount), Beta3 = _settings.Beta3At(StepCount) };
        Apply(run => new Rule(LearningRate * run.RateFactor, run.Decays ? _weightDecay : 0, now, StepCount), gradientFactor, _fast, _slow, _squares);
        return false;
    }

    private readonly struct Rule(double rate, double weightDecay, AdEmaMixSettings settings, long step) : IUpdateRule
    {
        private readonly Vector<float> _rate = new((float)rate), _keep = new((float)(1 - rate * weightDecay)), _epsilon = new((float)settings.Epsilon);
        private readonly Vector<float> _beta1 = new((float)settings.Beta1), _share1 = new((float)(1 - settings.Beta1));
        private readonly Vector<float> _beta2 = new((float)settings.Beta2), _share2 = new((float)(1 - settings.Beta2));
        private readonly Vector<float> _beta3 = new((float)settings.Beta3), _share3 = new((float)(1 - settings.Beta3));
        private readonly Vector<float> _alpha = new((float)settings.Alpha), _correction = new((float)(1 - Math.Pow(settings.Beta1, step)));
        private readonly Vector<float> _root = new((float)Math.Sqrt(1 - Math.Pow(settings.Beta2, step)));

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> fast, ref Vector<float> slow, ref Vector<float> square)
        {
            fast = _beta1 * fast + _share1 * gradient;
            slow = _beta3 * slow + _share3 * gradient;
            square = _beta2 * square + _share2 * gradient * gradient;
            value = value * _keep - _rate * ((fast / _correction + _alpha * slow) / (Vector.SquareRoot(square) / _root + _epsilon));
        }
    }
}

/// <summary>The constants of <see cref="AdEmaMix"/>.</summary>
/// <param name="Beta1">Decay of the fast average. Default 0.9.</param>
/// <param name="Beta2">Decay of the squares' average. Default 0.999.</param>
/// <param name="Beta3">Decay of the slow average. Default 0.9999.</param>
/// <param name="Alpha">Weight of the slow average. Default 5.</param>
/// <param name="Epsilon">Added to the root of the squares. Default 1e-8.</param>
/// <param name="AlphaSteps">Updates during which alpha climbs from 0; null: none.</param>
/// <param name="Beta3Steps">Updates during which beta3 climbs from beta1; null: none.</param>
public sealed record AdEmaMixSettings(
    double Beta1 = 0.9, double Beta2 = 0.999, double Beta3 = 0.9999, double Alpha = 5, double Epsilon = 1e-8, long? AlphaSteps = null, long? Beta3Steps = null)
{
    internal double AlphaAt(long step) => AlphaSteps is { } steps ? Math.Min(Alpha * step / steps, Alpha) : Alpha;

    /// <summary>Climbs so that the half-life of the average grows in proportion to the updates (section 3 of the paper).</summary>
    internal double Beta3At(long step)
    {
        if (Beta3Steps is not { } steps) return Beta3;
        double low = Math.Log(Beta1), high = Math.Log(Beta3), share = step / (double)steps;
        return share >= 1 ? Beta3 : Math.Min(Math.Exp(low * high / ((1 - share) * high + share * low)), Beta3);
    }
}
