using Attune.Batching;
using Attune.Distributed;

namespace Attune.Training;

/// <summary>The batches of an evaluation: the rows of a data set in its order.</summary>
internal static class EvaluationBatches
{
    /// <summary>The first row of each batch, and the number of rows at the end.</summary>
    internal static int[] Starts(TrainingArguments args, TokenizedDataset data) => Starts(args, data.Count, row => data.Rows[row].Length);

    /// <summary>The same of anything that has so many tokens.</summary>
    internal static int[] Starts(TrainingArguments args, int count, Func<int, int> length) => args.TokensPerEvalBatch is { } most
        ? TokenBatches.Starts(count, length, most)
        : [.. Enumerable.Range(0, (count - 1) / args.PerDeviceEvalBatchSize + 1).Select(batch => batch * args.PerDeviceEvalBatchSize), count];

    /// <summary>Which of them each process computes.</summary>
    internal static BatchesInTurn InTurn(Communicator processes) => new(processes.Rank, processes.Size, mine => processes.GatherAll(mine));

    /// <summary>The rows of a batch.</summary>
    internal static int[] Rows(int[] starts, int batch) => [.. Enumerable.Range(starts[batch], starts[batch + 1] - starts[batch])];
}
