using System.Text.Json.Nodes;
using static System.FormattableString;

namespace Attune.Optimization;

/// <summary>Lowers the learning rate when a metric has stopped improving: <c>reduce_lr_on_plateau</c>, as torch's ReduceLROnPlateau.</summary>
/// <remarks>All that must survive a restart is <see cref="State"/>.</remarks>
public sealed class PlateauSchedule
{
    private readonly bool _higherIsBetter, _relative;
    private readonly double _factor, _threshold, _lowest, _smallestChange;
    private readonly long _patience, _cooldown;

    /// <summary>Starts at the base rate.</summary>
    /// <param name="learningRate">The base rate.</param>
    /// <param name="options">
    /// <c>lr_scheduler_kwargs</c>: <c>mode</c> min (default) or max, <c>factor</c> 0.1, <c>patience</c> 10 evaluations, <c>threshold</c> 1e-4,
    /// <c>threshold_mode</c> rel (default) or abs, <c>cooldown</c> 0 evaluations, <c>min_lr</c> 0, <c>eps</c> 1e-8.
    /// </param>
    /// <exception cref="AttuneException">An option is unknown or out of range.</exception>
    public PlateauSchedule(double learningRate, JsonObject? options = null)
    {
        var given = GivenOptions.OfSchedule("reduce_lr_on_plateau", options);
        _higherIsBetter = given.Choice("mode", "min", "min", "max") == "max";
        _relative = given.Choice("threshold_mode", "rel", "rel", "abs") == "rel";
        _factor = given.Number("factor", 0.1);
        _threshold = given.Number("threshold", 1e-4);
        _lowest = given.Number("min_lr", 0);
        _smallestChange = given.Number("eps", 1e-8);
        _patience = given.Count("patience") ?? 10;
        _cooldown = given.Count("cooldown") ?? 0;
        given.RefuseOthers();
        if (!(_factor < 1)) throw new AttuneException(Invariant($"lr_scheduler_kwargs: factor is {_factor}; it must lie below 1."));
        State = new PlateauState(learningRate, _higherIsBetter ? double.NegativeInfinity : double.PositiveInfinity, 0, 0);
    }

    /// <summary>The rate in use and what the next decision depends on.</summary>
    public PlateauState State { get; set; }

    /// <summary>Takes the metric of an evaluation and returns the rate for the updates that follow. Not a number is no improvement.</summary>
    public double Step(double metric)
    {
        var state = Improves(metric)
            ? State with { Best = metric, BadEvaluations = 0 }
            : State with { BadEvaluations = State.BadEvaluations + 1 };
        if (state.CooldownLeft > 0) state = state with { CooldownLeft = state.CooldownLeft - 1, BadEvaluations = 0 };
        if (state.BadEvaluations > _patience)
        {
            var lowered = Math.Max(state.LearningRate * _factor, _lowest);
            if (state.LearningRate - lowered <= _smallestChange) lowered = state.LearningRate;
            state = state with { LearningRate = lowered, CooldownLeft = _cooldown, BadEvaluations = 0 };
        }
        State = state;
        return state.LearningRate;
    }

    private bool Improves(double metric) => (_relative, _higherIsBetter) switch
    {
        (true, false) => metric < State.Best * (1 - _threshold),
        (true, true) => metric > State.Best * (1 + _threshold),
        (false, false) => metric < State.Best - _threshold,
        (false, true) => metric > State.Best + _threshold,
    };
}

/// <summary>What a <see cref="PlateauSchedule"/> remembers between evaluations.</summary>
/// <param name="LearningRate">The rate in use.</param>
/// <param name="Best">The best metric so far; infinite before the first.</param>
/// <param name="BadEvaluations">Evaluations since the last improvement or reduction.</param>
/// <param name="CooldownLeft">Evaluations during which bad ones are not counted.</param>
public sealed record PlateauState(double LearningRate, double Best, long BadEvaluations, long CooldownLeft);
