using System.Diagnostics;
using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Pretraining;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Benchmarks;

/// <summary>Steps of pretraining, from rows to new weights, against the machine's own limit for them: their matrix products and the optimizer's bytes.</summary>
internal sealed class PretrainStepCheck : Check
{
    private const int Rounds = 5, StepsPerRound = 8, RowsOfBatch = 32, RowLength = 128, Batches = 64;
    private const double LearningRate = 1e-3, WeightDecay = 0.01, MaxNorm = 1;

    internal override string Name => "pretrain-step";

    internal override string Summary => "pretraining a model of 4 layers of 256 in batches of 32 rows of 128: share of the machine's limit (products and copies alone)";

    protected override IEnumerable<CheckPart> Run()
    {
        LibTorch.Load();
        var tokenizer = Tokenizer.FromPretrained(Path.Combine(AppContext.BaseDirectory, "attune-mini"));
        var config = TrainingSide.Configuration("mini") with { VocabSize = tokenizer.VocabularySize, MaxPositionEmbeddings = RowLength };
        using var model = BertForMaskedLM.FromConfig(config, dropout: 0);
        using var optimizer = new AdamW(model.Weights, LearningRate, weightDecay: WeightDecay);
        var gradients = new MaskedGradients(model, new DataCollatorForLanguageModeling(tokenizer), Rows(tokenizer));
        model.Training = true;
        for (var step = 0; step < 2 * StepsPerRound; step++) Step(model, optimizer, gradients, step);
        List<double> shares = [], steps = [], products = [], optimizers = [];
        var hidden = (int)Math.Round(RowLength * 0.15) * RowsOfBatch;
        for (var round = 0; round < Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            for (var step = 0; step < StepsPerRound; step++) Step(model, optimizer, gradients, round * StepsPerRound + step);
            steps.Add(clock.Elapsed.TotalSeconds / StepsPerRound);
            var limit = StepLimit.MeasureMasked(config, model.ParameterCount, RowsOfBatch * RowLength, hidden);
            products.Add(Side.Number(limit, "product_seconds"));
            optimizers.Add(Side.Number(limit, "optimizer_seconds"));
            shares.Add((products[^1] + optimizers[^1]) / steps[^1]);
            Console.WriteLine($"round {round + 1}: a step takes {steps[^1]:F3} s, its products {products[^1]:F3} s at {Side.Number(limit, "product_gflops"):F0} GFLOP/s, " +
                $"the optimizer's bytes {optimizers[^1]:F3} s");
        }
        var seconds = Statistics.Median(steps);
        Facts["tokens_per_second"] = RowsOfBatch * RowLength / seconds;
        yield return new("share of the limit", Statistics.Median(shares), 0.75, "",
            Note: $"step {seconds:F3} s, products {Statistics.Median(products):F3} s, optimizer {Statistics.Median(optimizers):F3} s");
    }

    private static void Step(BertForMaskedLM model, AdamW optimizer, MaskedGradients gradients, int step)
    {
        model.DropoutKey = (42, optimizer.StepCount);
        var first = step % Batches * RowsOfBatch;
        gradients.Add([.. Enumerable.Range(first, RowsOfBatch)], firstRowNumber: 0, share: 1, MicroBatches.Whole);
        optimizer.Step(GradientNorm.ClipFactor(GradientNorm.Compute(model.Weights), MaxNorm));
        optimizer.ZeroGrad();
    }

    /// <summary>Rows of random tokens, all of full length: the text does not matter to the time.</summary>
    private static TokenizedDataset Rows(Tokenizer tokenizer)
    {
        const int firstWord = 1000;
        var random = new Random(1);
        return new([.. Enumerable.Range(0, Batches * RowsOfBatch).Select(_ => new TokenizedRow(
            [tokenizer.ClsId, .. Enumerable.Range(0, RowLength - 2).Select(_ => random.Next(firstWord, tokenizer.VocabularySize)), tokenizer.SepId]))]);
    }
}
