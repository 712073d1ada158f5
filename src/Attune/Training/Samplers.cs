using Attune.Batching;

namespace Attune.Training;

/// <summary>The order of the training rows that the arguments ask for.</summary>
internal static class Samplers
{
    /// <exception cref="AttuneException">The labels are numbers, and their classes are to come equally often.</exception>
    internal static Sampler Of(TrainingArguments args, TokenizedDataset data)
    {
        var seed = args.DataSeed ?? args.Seed;
        if (args.Sampling == SamplingKind.Shuffle)
            return args.GroupByLength ? Sampler.GroupedByLength(Lengths(data), checked((int)args.RowsPerUpdate), args.Seed) : Sampler.Random(data.Count, seed);
        var sampler = args.Sampling == SamplingKind.Balanced ? Sampler.Balanced(data.Labels!, seed) : Sampler.Weighted(data.Labels!, seed);
        return args.GroupByLength ? sampler.WithLengthsTogether(Lengths(data), checked((int)args.RowsPerUpdate)) : sampler;
    }

    private static int[] Lengths(TokenizedDataset data) => [.. data.Rows.Select(row => row.Length)];
}
