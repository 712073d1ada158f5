using System.Diagnostics;
using Attune.Batching;
using Attune.Models;
using Attune.Profiling;
using Attune.Training;
using static System.FormattableString;

namespace Attune.Pretraining;

/// <summary>
/// Learning to tell tokens of a text from those that a generator has put in their place, from rows without labels: what a <see cref="Trainer"/> does with an
/// <see cref="ElectraForPreTraining"/>. The generator learns to find hidden tokens beside it.
/// </summary>
/// <param name="model">The model, with a generator.</param>
/// <param name="collator">Hides tokens.</param>
public sealed class ReplacedTokenDetection(ElectraForPreTraining model, DataCollatorForLanguageModeling collator) : PretrainingTask(model, collator)
{
    /// <summary>With which weight telling tokens apart counts beside finding hidden ones.</summary>
    /// <value>Above 0. Default 50, as in ELECTRA.</value>
    public double DiscriminatorWeight { get; init; } = 50;

    internal override void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice)
    {
        base.Begin(args, train, eval, notice);
        CheckWeight(DiscriminatorWeight);
        if (model.GeneratorLayers == 0) throw new AttuneException("the model has no generator, which makes the replacements; make it with generatorLayers.");
    }

    /// <summary>Refuses a weight that is impossible, before there is a model.</summary>
    /// <exception cref="AttuneException">It is.</exception>
    internal static void CheckWeight(double weight)
    {
        if (!(weight > 0 && double.IsFinite(weight))) throw new AttuneException(Invariant($"discriminator_weight is {weight}; it must be above 0."));
    }

    internal override RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, RowShares shares, Action<string> notice) =>
        new ReplacedTokenGradients(model, Collator, train, shares, DiscriminatorWeight);

    internal override PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation)
    {
        using var time = Profiler.Measure("evaluation");
        var watch = Stopwatch.StartNew();
        var results = EachBatch(data, Sampler.InOrder(data.Count).Order(0), trainer, rows => Predict(data, rows, trainer.Args), cancellation);
        var (hidden, tokens) = (results.Sum(one => one.Hidden), results.Sum(one => one.Tokens));
        var metrics = new OrderedDictionary<string, double>();
        if (hidden > 0)
        {
            var (ofGenerator, ofModel) = (results.Sum(one => one.GeneratorLoss) / hidden, results.Sum(one => one.Loss) / tokens);
            metrics[prefix + "_loss"] = ofGenerator + DiscriminatorWeight * ofModel;
            if (!trainer.Args.PredictionLossOnly)
            {
                (metrics[prefix + "_generator_loss"], metrics[prefix + "_generator_accuracy"]) = (ofGenerator, results.Sum(one => one.GeneratorRight) / (double)hidden);
                (metrics[prefix + "_discriminator_loss"], metrics[prefix + "_discriminator_accuracy"]) = (ofModel, results.Sum(one => one.Right) / (double)tokens);
            }
        }
        SpeedMetrics.Add(metrics, prefix, trainer.Processes.OfFirst(watch.Elapsed.TotalSeconds), data.Count, results.Length);
        return new PredictionOutput([], 1, null, metrics);
    }

    internal override MicroBatches.RowBytes Measure(TokenizedRow row) => MicroBatches.RowBytes.Measure(model, row, batch =>
    {
        // As many as are hidden, be they which they may.
        int[] positions = [.. Enumerable.Range(0, Math.Max(1, (int)Math.Ceiling(batch.Tokens * Collator.MlmProbability)))];
        using var proposed = model.Generate(batch, new MaskedTokens(positions, new int[positions.Length]));
        proposed.BackwardOfSum(1);
        using var found = model.Forward(batch, new int[batch.Tokens]);
        found.BackwardOfSum(1);
    });

    internal override (IReadOnlyList<string> Lines, string Found) SearchOverflow(TokenizedDataset data, int[] rows, MicroBatches cuts) =>
        OverflowSearch.Of(model, data, rows, cuts, batch => OverflowSearch.Named(model.Encoder.AllStates(batch)), batch =>
        {
            var masked = Collator.Mask(batch, model.DropoutKey.Seed, model.DropoutKey.Update);
            using var proposed = model.Generate(batch, masked);
            using var found = model.Forward(batch, ReplacedTokens.Put(batch, masked, ReplacedTokens.Draw(batch, proposed, model.DropoutKey.Seed, model.DropoutKey.Update)));
            return double.IsFinite(proposed.LossSum) && double.IsFinite(found.LossSum);
        }, "the generator or the head");

    private Sums Predict(TokenizedDataset data, int[] rows, TrainingArguments args)
    {
        var batch = data.Batch(rows);
        var seed = unchecked((ulong)args.Seed);
        var masked = Collator.Mask(batch, seed, rows);
        using var proposed = model.Generate(batch, masked);
        using var found = model.Forward(batch, ReplacedTokens.Put(batch, masked, ReplacedTokens.Draw(batch, proposed, seed, rows)));
        return new Sums(proposed.LossSum, proposed.Right, masked.Count, found.LossSum, found.Right, batch.Tokens);
    }

    /// <summary>Of a batch: the losses of the generator's tokens, how many it finds and how many there are; the same of the model's.</summary>
    private readonly record struct Sums(double GeneratorLoss, long GeneratorRight, long Hidden, double Loss, long Right, long Tokens);
}
