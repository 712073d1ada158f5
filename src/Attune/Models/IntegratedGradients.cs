using Attune.Batching;
using Attune.Native;

namespace Attune.Models;

/// <summary>
/// How much each token of a row speaks for a class: integrated gradients (Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", 2017). The gradient of
/// the class's logit is added up along the straight way of the word embeddings from a baseline row to the row, and multiplied by that way.
/// </summary>
/// <remarks>
/// Σ over the hidden size of (e − b) ∫₀¹ ∂logit/∂e (b + α(e − b)) dα, the integral by Gauss and Legendre's rule. The scores of all tokens add up to the logit
/// of the row less that of the baseline (completeness), but for what the rule leaves, which shrinks with the number of steps. Positions and segments stay as they are.
/// </remarks>
public static class IntegratedGradients
{
    /// <summary>Places of the way where the gradient is computed, unless it is said.</summary>
    public const int DefaultSteps = 32;

    private const int PlacesAtOnce = 4;                                    // others wait for no more of them
    private const int TokensAtOnce = 1024;                                 // some 600 MB of activations of BERT-base

    /// <summary>The score of each token.</summary>
    /// <param name="model">The model; its weights get no gradients. One thread at a time: others wait.</param>
    /// <param name="row">The row.</param>
    /// <param name="baseline">The same row with the tokens that say nothing, such as [MASK], in the places of those that are explained; a token that is the same gets 0.</param>
    /// <param name="column">The class, label or number whose logit is explained.</param>
    /// <param name="steps">Places of the way, at least 1. Default <see cref="DefaultSteps"/>.</param>
    /// <returns>One score for each token: above 0 where it speaks for the class.</returns>
    /// <exception cref="ArgumentException">The baseline has another length.</exception>
    /// <exception cref="AttuneException">A token is outside the model's range.</exception>
    public static double[] Of(SequenceClassificationModel model, TokenizedRow row, TokenizedRow baseline, int column, int steps = DefaultSteps) =>
        Of(model, row, baseline, column, steps, static () => { });

    /// <summary>The same; between two batches of places others may use the model.</summary>
    internal static double[] Of(SequenceClassificationModel model, TokenizedRow row, TokenizedRow baseline, int column, int steps, Action pause)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)model.Config.NumLabels, nameof(column));
        if (baseline.Length != row.Length) throw new ArgumentException($"The baseline has {baseline.Length} tokens and the row {row.Length}.", nameof(baseline));
        var (scores, way) = (new double[row.Length], (float[]?)null);
        foreach (var (part, places) in GaussLegendre.Rule(steps).Chunk(Math.Max(1, Math.Min(PlacesAtOnce, TokensAtOnce / row.Length))).Index())
        {
            if (part > 0) pause();
            lock (model.Weights) Frozen(model, () => Integrate(model, row, way ??= Way(model, row, baseline), column, places, scores));
        }
        return scores;
    }

    /// <summary>Without a weight to train backward computes the way of the gradient alone.</summary>
    private static void Frozen(SequenceClassificationModel model, Action compute)
    {
        var trained = model.Weights.All.Where(weight => weight.RequiresGrad).ToList();
        foreach (var weight in trained) weight.RequiresGrad = false;
        try
        {
            compute();
        }
        finally
        {
            foreach (var weight in trained) weight.RequiresGrad = true;
        }
    }

    private static void Integrate(SequenceClassificationModel model, TokenizedRow row, float[] way, int column, (double At, double Weight)[] places, double[] scores)
    {
        var (hidden, columns) = ((int)model.Encoder.WordEmbeddings.Shape[1], model.Config.NumLabels);
        using var path = new EmbeddingPath(way, [.. places.Select(place => place.At)]);
        using var output = model.Logits(Batch.Pack([.. Enumerable.Repeat(row, places.Length)]), new PassOptions { Move = path, IsExplained = true });
        var gradient = new float[output.Logits.Length];
        for (var copy = 0; copy < places.Length; copy++) gradient[copy * columns + column] = 1;
        output.Backward(gradient);
        for (var copy = 0; copy < places.Length; copy++)
        {
            var own = path.GradientOf(copy);
            for (var i = 0; i < way.Length; i++) scores[i / hidden] += places[copy].Weight * own[i] * way[i];
        }
    }

    /// <summary>The row's word embeddings less the baseline's, (T,H).</summary>
    private static unsafe float[] Way(SequenceClassificationModel model, TokenizedRow row, TokenizedRow baseline)
    {
        LibTorch.Load();
        var table = model.Encoder.WordEmbeddings;
        var hidden = (int)table.Shape[1];
        var way = new float[row.Length * hidden];
        for (var token = 0; token < row.Length; token++)
        {
            int id = row.InputIds[token], from = baseline.InputIds[token];
            if (id == from) continue;
            foreach (var one in (ReadOnlySpan<int>)[id, from])
                if ((uint)one >= (uint)model.Config.VocabSize)
                    throw new AttuneException($"Token id {one} is outside the model's vocabulary of {model.Config.VocabSize}: use the tokenizer that belongs to the model.");
            var data = table.RowData([id, from]);
            for (var i = 0; i < hidden; i++) way[token * hidden + i] = data[(long)id * hidden + i] - data[(long)from * hidden + i];
        }
        return way;
    }
}
