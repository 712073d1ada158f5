using Attune.Batching;

namespace Attune.Training;

/// <summary>The order and the batches of the training rows that the arguments ask for.</summary>
internal static class Samplers
{
    /// <summary>The batches of a run.</summary>
    /// <param name="args">Of the run.</param>
    /// <param name="data">The training rows.</param>
    /// <param name="order">Of the task, where it has one of its own.</param>
    /// <exception cref="AttuneException">As <see cref="TrainingPlan.Require"/> and <see cref="Of"/>.</exception>
    internal static DataLoader Batches(TrainingArguments args, TokenizedDataset data, Sampler? order = null)
    {
        TrainingPlan.Require(args, data.Count);
        return new(data, args.RowsPerBatch, order ?? Of(args, data), args.DataloaderDropLast) { MaxTokens = args.TokensPerBatch };
    }

    /// <exception cref="AttuneException">The labels are numbers, and their classes are to come equally often.</exception>
    internal static Sampler Of(TrainingArguments args, TokenizedDataset data)
    {
        var seed = args.DataSeed ?? args.Seed;
        var lengths = args.GroupByLength ? Lengths(data) : [];
        if (args.Sampling == SamplingKind.Shuffle)
            return args.GroupByLength ? Sampler.GroupedByLength(lengths, RowsPerUpdate(args, lengths), args.Seed) : Sampler.Random(data.Count, seed);
        var sampler = args.Sampling == SamplingKind.Balanced ? Sampler.Balanced(data.Labels!, seed) : Sampler.Weighted(data.Labels!, seed);
        return args.GroupByLength ? sampler.WithLengthsTogether(lengths, RowsPerUpdate(args, lengths)) : sampler;
    }

    /// <summary>Rows of an update; where tokens make it, about how many.</summary>
    private static int RowsPerUpdate(TrainingArguments args, int[] lengths) => args.TokensPerBatch is not { } tokens || lengths is [] ? checked((int)args.RowsPerUpdate)
        : (int)Math.Clamp(tokens * args.GradientAccumulationSteps / lengths.Average(), 1, lengths.Length);

    private static int[] Lengths(TokenizedDataset data) => [.. data.Rows.Select(row => row.Length)];
}
