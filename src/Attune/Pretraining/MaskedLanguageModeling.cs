using System.Diagnostics;
using Attune.Batching;
using Attune.Models;
using Attune.Profiling;
using Attune.Training;
using static System.FormattableString;

namespace Attune.Pretraining;

/// <summary>Learning to find hidden tokens, from rows without labels: what a <see cref="Trainer"/> does with a <see cref="BertForMaskedLM"/>.</summary>
/// <param name="model">The model.</param>
/// <param name="collator">Hides tokens.</param>
/// <example><code>
/// var rows = CorpusRows.Of(Corpus.Of("texts"), tokenizer, maxLength: 128);
/// var trainer = new Trainer(new MaskedLanguageModeling(model, new DataCollatorForLanguageModeling(tokenizer)), arguments, rows);
/// trainer.Train();
/// </code></example>
public sealed class MaskedLanguageModeling(BertForMaskedLM model, DataCollatorForLanguageModeling collator) : PretrainingTask(model, collator)
{
    /// <summary>
    /// With which weight finding the row beside a row in its text counts beside finding hidden tokens: it teaches the first token and the pooler, which
    /// classifiers read and hidden tokens do not, what a text is about. Rows of a batch then come in such pairs, and all others of it are what they are told from.
    /// </summary>
    /// <value>At least 0; the model must be made with comparesRows where it is above. Default 0: rows are not compared.</value>
    public double ContrastiveWeight { get; init; }

    /// <summary>By which the cosines between rows are divided.</summary>
    /// <value>Above 0. Default 0.05, as in SimCSE.</value>
    public double ContrastiveTemperature { get; init; } = 0.05;

    private bool Compares => ContrastiveWeight > 0;

    internal override void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice)
    {
        base.Begin(args, train, eval, notice);
        CheckContrast(ContrastiveWeight, ContrastiveTemperature);
        if (!Compares)
        {
            foreach (var weight in model.PoolerWeights) weight.RequiresGrad = false;       // nothing is learned of it, and decay would take it away
            return;
        }
        if (!model.ComparesRows) throw new AttuneException("rows are to be compared (contrastive_weight), and the model was not made for it; make it with comparesRows.");
        if (args.GroupByLength) throw new AttuneException("group_by_length would part the rows that stand beside each other in a text, and contrastive_weight compares these; leave one out.");
        if (train is not null && !NeighbourContrast.HasPairs(train))
            throw new AttuneException("contrastive_weight compares rows that stand beside each other in a document, and no document has two; make rows shorter by max_length, " +
                "give a validation_file where there are fewer than 20 documents, whose rows are set apart one by one, or leave it out.");
    }

    /// <summary>Refuses numbers that are impossible, before there is a model.</summary>
    /// <exception cref="AttuneException">One is.</exception>
    internal static void CheckContrast(double weight, double temperature)
    {
        if (!(weight >= 0 && double.IsFinite(weight))) throw new AttuneException(Invariant($"contrastive_weight is {weight}; it must be at least 0."));
        if (!(temperature > 0 && double.IsFinite(temperature))) throw new AttuneException(Invariant($"contrastive_temperature is {temperature}; it must be above 0."));
    }

    internal override Sampler? Order(TrainingArguments args, TokenizedDataset train) => Compares ? NeighbourContrast.Order(train, args.DataSeed ?? args.Seed) : null;

    internal override RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, RowShares shares, Action<string> notice) =>
        new MaskedGradients(model, Collator, train, shares, Compares ? new NeighbourContrast(train, ContrastiveTemperature) : null, ContrastiveWeight);

    internal override PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation)
    {
        using var time = Profiler.Measure("evaluation");
        var contrast = Compares && NeighbourContrast.HasPairs(data) ? new NeighbourContrast(data, ContrastiveTemperature) : null;
        var order = contrast is null ? Sampler.InOrder(data.Count).Order(0) : NeighbourContrast.Order(data, trainer.Args.Seed).Order(0);
        var watch = Stopwatch.StartNew();
        var results = EachBatch(data, order, trainer, rows => Predict(data, rows, contrast, trainer.Args), cancellation);
        var (loss, right, count) = (results.Sum(one => one.Loss), results.Sum(one => one.Right), results.Sum(one => one.Count));
        var (ofRows, found, asked) = (results.Sum(one => one.OfRows), results.Sum(one => one.Found), results.Sum(one => one.Asked));
        var metrics = new OrderedDictionary<string, double>();
        if (count > 0)
        {
            metrics[prefix + "_loss"] = loss / count;
            if (!trainer.Args.PredictionLossOnly)
                (metrics[prefix + "_perplexity"], metrics[prefix + "_accuracy"]) = (Math.Exp(loss / count), right / (double)count);
        }
        if (asked > 0) (metrics[prefix + "_contrastive_loss"], metrics[prefix + "_contrastive_accuracy"]) = (ofRows / asked, found / (double)asked);
        SpeedMetrics.Add(metrics, prefix, trainer.Processes.OfFirst(watch.Elapsed.TotalSeconds), data.Count, results.Length);
        return new PredictionOutput([], 1, null, metrics);
    }

    internal override MicroBatches.RowBytes Measure(TokenizedRow row) => MicroBatches.RowBytes.Measure(model, row, batch =>
    {
        // As many as are hidden, be they which they may.
        int[] positions = [.. Enumerable.Range(0, Math.Max(1, (int)Math.Ceiling(batch.Tokens * Collator.MlmProbability)))];
        using var output = model.Forward(batch, positions, new int[positions.Length]);
        output.Backward();
    });

    internal override (IReadOnlyList<string> Lines, string Found) SearchOverflow(TokenizedDataset data, int[] rows, MicroBatches cuts) =>
        OverflowSearch.Of(model, data, rows, cuts, batch => OverflowSearch.Named(model.Encoder.AllStates(batch)), batch =>
        {
            var masked = Collator.Mask(batch, model.DropoutKey.Seed, model.DropoutKey.Update);
            using var output = model.Forward(batch, masked.Positions, masked.Targets);
            return double.IsFinite(output.LossSum);
        }, "the head");

    private Sums Predict(TokenizedDataset data, int[] rows, NeighbourContrast? contrast, TrainingArguments args)
    {
        var batch = data.Batch(rows);
        var masked = Collator.Mask(batch, unchecked((ulong)args.Seed), rows);
        using var output = model.Forward(batch, masked.Positions, masked.Targets, readsRows: contrast is not null);
        var (ofRows, found, asked) = contrast?.Of(output.Rows, rows, null) ?? default;
        return new Sums(output.LossSum, output.Right, output.Positions.Count, ofRows * asked, found, asked);
    }

    /// <summary>Of a batch: the losses of its hidden tokens, how many are found and how many there are; the same of its rows and their neighbours.</summary>
    private readonly record struct Sums(double Loss, long Right, long Count, double OfRows, long Found, long Asked);
}
