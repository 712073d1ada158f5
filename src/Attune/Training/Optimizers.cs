using Attune.Models;
using Attune.Optimization;
using static System.FormattableString;

namespace Attune.Training;

/// <summary>The optimizer that the arguments name.</summary>
internal static class Optimizers
{
    /// <summary>Creates it.</summary>
    /// <param name="args">Name it and its constants.</param>
    /// <param name="weights">The model's.</param>
    /// <param name="rateFactorOf">As <see cref="Optimizer.RateFactorOf"/>.</param>
    /// <param name="warmupSteps">Of the run, for those that warm up by themselves.</param>
    /// <param name="share">As <see cref="WeightStore.OptimizerShare"/>; null for all of the state.</param>
    /// <exception cref="AttuneException">A constant of it is out of range.</exception>
    internal static Optimizer Create(TrainingArguments args, WeightStore weights, Func<Weight, double>? rateFactorOf = null, long warmupSteps = 0, (int, int)? share = null)
    {
        Check(args);
        weights.OptimizerShare = share ?? (0, 1);
        try
        {
            return Creation(args, warmupSteps)(weights, rateFactorOf);
        }
        finally
        {
            weights.OptimizerShare = (0, 1);
        }
    }

    /// <summary>The average that an optimizer makes or the arguments ask for, to be evaluated and saved; null where there is none.</summary>
    internal static AveragedWeights? Averaged(TrainingArguments args, Optimizer optimizer, TrainingPlan plan) => (optimizer, args) switch
    {
        (ScheduleFree own, _) => new ScheduleFreeAverage(own),
        (_, { EmaDecay: { } decay }) => new MovingAverage(optimizer, decay),
        (_, { SwaStart: { } start }) => new MovingAverage(optimizer, null, plan.AveragingStart(start)),
        _ => null,
    };

    /// <exception cref="AttuneException">A constant of the optimizer is out of range.</exception>
    internal static void Check(TrainingArguments args)
    {
        Require("learning_rate", args.LearningRate, args.LearningRate >= 0, "at least 0");
        Require("weight_decay", args.WeightDecay, args.WeightDecay >= 0, "at least 0");
        Require("adam_beta1", args.AdamBeta1, args.AdamBeta1 is >= 0 and < 1, "at least 0 and below 1");
        Require("adam_beta2", args.AdamBeta2, args.AdamBeta2 is >= 0 and < 1, "at least 0 and below 1");
        Require("adam_epsilon", args.AdamEpsilon, args.AdamEpsilon >= 0, "at least 0");
        Require("layer_lr_decay", args.LayerLrDecay, args.LayerLrDecay is > 0 and <= 1, "above 0 and at most 1");
        if (args.HeadLearningRate is { } head)
        {
            Require("head_learning_rate", head, head >= 0 && double.IsFinite(head), "at least 0");
            if (args.LearningRate == 0)
                throw new AttuneException("head_learning_rate follows the schedule of learning_rate, which is 0; to train the head only, give --tune head and its rate as --learning-rate.");
        }
        if (args.ZeroStage > 0 && (IsScheduleFree(args.Optim) || args.Optim is OptimizerName.Adafactor or OptimizerName.StableAdamw))
            throw new AttuneException($"zero_stage {args.ZeroStage} cuts the optimizer's state anywhere, but optim {Argument.Spell(args.Optim.ToString())} looks at whole weights or averages them; leave it out, or take another optimizer.");
        if (args.ClipGradValue is { } most) Require("clip_grad_value", most, most > 0, "above 0");
        if (IsScheduleFree(args.Optim) && args.Optim != OptimizerName.ScheduleFreeSgd && args.AdamBeta1 == 0)
            throw new AttuneException($"adam_beta1 is 0, but {Argument.Spell(args.Optim.ToString())} averages by it; it must be above 0.");
        _ = Creation(args, warmupSteps: 0);
    }

    /// <summary>Whether the optimizer takes the place of a schedule, and its average that of the weights.</summary>
    internal static bool IsScheduleFree(OptimizerName name) =>
        name is OptimizerName.ScheduleFreeAdamw or OptimizerName.ScheduleFreeRadam or OptimizerName.ScheduleFreeSgd;

    private static Func<WeightStore, Func<Weight, double>?, Optimizer> Creation(TrainingArguments args, long warmupSteps)
    {
        var given = GivenOptions.OfOptimizer(Argument.Spell(args.Optim.ToString()), args.OptimArgs);
        var creation = Creation(args, warmupSteps, given);
        given.RefuseOthers();
        return creation;
    }

    /// <summary>The options are asked for before anything is created, so that a wrong one is known before data are read.</summary>
    private static Func<WeightStore, Func<Weight, double>?, Optimizer> Creation(TrainingArguments args, long warmupSteps, GivenOptions given)
    {
        double rate = args.LearningRate, decay = args.WeightDecay, beta1 = args.AdamBeta1, beta2 = args.AdamBeta2, epsilon = args.AdamEpsilon;
        switch (args.Optim)
        {
            case OptimizerName.Adafactor:
                return (weights, factor) => new Adafactor(weights, rate, decay) { RateFactorOf = factor };
            case OptimizerName.Sgd:
                var (momentum, dampening, nesterov) = (AtLeast0("momentum", 0), given.Number("dampening", 0), given.Flag("nesterov", false));
                if (nesterov && (momentum == 0 || dampening != 0)) throw new AttuneException("optim_args: nesterov needs momentum above 0 and no dampening.");
                return (weights, factor) => new Sgd(weights, rate, momentum, decay, dampening, nesterov) { RateFactorOf = factor };
            case OptimizerName.Adagrad:
                var (rateDecay, added, initial) = (AtLeast0("lr_decay", 0), AtLeast0("eps", 1e-10), AtLeast0("initial_accumulator_value", 0));
                return (weights, factor) => new Adagrad(weights, rate, rateDecay, added, decay, initial) { RateFactorOf = factor };
            case OptimizerName.Rmsprop:
                var (alpha, root, push, centered) = (AtLeast0("alpha", 0.99), AtLeast0("eps", 1e-8), AtLeast0("momentum", 0), given.Flag("centered", false));
                return (weights, factor) => new RmsProp(weights, rate, alpha, root, decay, push, centered) { RateFactorOf = factor };
            case OptimizerName.Lion:
                return (weights, factor) => new Lion(weights, rate, beta1, beta2, decay) { RateFactorOf = factor };
            case OptimizerName.Ademamix:
                var mix = new AdEmaMixSettings(Share("beta1", beta1), Share("beta2", beta2), Share("beta3", 0.9999), given.Number("alpha", 5), AtLeast0("eps", epsilon),
                    given.Count("t_alpha"), given.Count("t_beta3"));
                return (weights, factor) => new AdEmaMix(weights, rate, mix, decay) { RateFactorOf = factor };
            case OptimizerName.StableAdamw:
                _ = given.Flag("kahan_sum", false);                        // of weights in fewer bits, which Attune's are not
                var (isDecoupled, highest) = (given.Flag("decouple_lr", false), given.Number("max_lr", rate, max => max > 0, "above 0"));
                return (weights, factor) => new StableAdamW(weights, rate, beta1, beta2, epsilon, decay, isDecoupled ? highest : null) { RateFactorOf = factor };
            case OptimizerName.ScheduleFreeAdamw or OptimizerName.ScheduleFreeRadam or OptimizerName.ScheduleFreeSgd:
                var kind = args.Optim == OptimizerName.ScheduleFreeAdamw ? ScheduleFreeKind.AdamW
                    : args.Optim == OptimizerName.ScheduleFreeRadam ? ScheduleFreeKind.RAdam : ScheduleFreeKind.Sgd;
                var settings = new ScheduleFreeSettings(kind, kind == ScheduleFreeKind.Sgd ? 0.9 : beta1, beta2, epsilon, warmupSteps,
                    given.Number("r", 0), given.Number("weight_lr_power", 2));
                return (weights, factor) => new ScheduleFree(weights, rate, settings, decay) { RateFactorOf = factor };
            default:
                return (weights, factor) => weights.OnDevice is null
                    ? new AdamW(weights, rate, beta1, beta2, epsilon, decay) { RateFactorOf = factor }
                    : new FusedAdamW(weights, rate, beta1, beta2, epsilon, decay) { RateFactorOf = factor };
        }

        double AtLeast0(string name, double otherwise) => given.Number(name, otherwise, number => number >= 0, "at least 0");

        double Share(string name, double otherwise) => given.Number(name, otherwise, number => number is >= 0 and < 1, "at least 0 and below 1");
    }

    private static void Require(string name, double value, bool holds, string range)
    {
        if (!holds) throw new AttuneException(Invariant($"{name} is {value}; it must be {range}."));
    }
}
