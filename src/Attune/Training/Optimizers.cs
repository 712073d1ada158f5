using Attune.Models;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>The optimizer that the arguments name.</summary>
internal static class Optimizers
{
    /// <exception cref="AttuneException">A constant of it is out of range.</exception>
    internal static Optimizer Create(TrainingArguments args, WeightStore weights)
    {
        Check(args);
        return args.Optim switch
        {
            OptimizerName.Adafactor => new Adafactor(weights, args.LearningRate, args.WeightDecay),
            OptimizerName.Sgd => new Sgd(weights, args.LearningRate, weightDecay: args.WeightDecay),
            _ => new AdamW(weights, args.LearningRate, args.AdamBeta1, args.AdamBeta2, args.AdamEpsilon, args.WeightDecay),
        };
    }

    /// <exception cref="AttuneException">A constant of the optimizer is out of range.</exception>
    internal static void Check(TrainingArguments args)
    {
        Require("learning_rate", args.LearningRate, args.LearningRate >= 0, "at least 0");
        Require("weight_decay", args.WeightDecay, args.WeightDecay >= 0, "at least 0");
        Require("adam_beta1", args.AdamBeta1, args.AdamBeta1 is >= 0 and < 1, "at least 0 and below 1");
        Require("adam_beta2", args.AdamBeta2, args.AdamBeta2 is >= 0 and < 1, "at least 0 and below 1");
        Require("adam_epsilon", args.AdamEpsilon, args.AdamEpsilon >= 0, "at least 0");
    }

    private static void Require(string name, double value, bool holds, string range)
    {
        if (!holds) throw new AttuneException(FormattableString.Invariant($"{name} is {value}; it must be {range}."));
    }
}
