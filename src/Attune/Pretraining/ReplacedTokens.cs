using Attune.Batching;
using Attune.Kernels;
using Attune.Models;

namespace Attune.Pretraining;

/// <summary>What a generator proposes in the place of hidden tokens.</summary>
/// <remarks>What is drawn is a pure function of seed, update, the row's number and the token's index, beside what the generator says.</remarks>
internal static class ReplacedTokens
{
    private const string Training = "replaced tokens", Evaluation = "replaced tokens of the evaluation";

    /// <summary>Draws a token for each hidden one of a batch of the training.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="proposed">What the generator says of its hidden tokens.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="update">Number of the update.</param>
    internal static int[] Draw(Batch batch, MaskedLMOutput proposed, ulong seed, long update) =>
        Draw(batch, proposed, Philox.Key(seed, Training), update, numberInUpdate => numberInUpdate);

    /// <summary>Draws a token for each hidden one of rows to evaluate on.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="proposed">What the generator says of its hidden tokens.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="rows">Numbers of its rows in the data set.</param>
    internal static int[] Draw(Batch batch, MaskedLMOutput proposed, ulong seed, int[] rows) => Draw(batch, proposed, Philox.Key(seed, Evaluation), 0, row => rows[row]);

    /// <summary>Puts them into the batch.</summary>
    /// <param name="batch">Nobody else's: its ids are overwritten.</param>
    /// <param name="masked">The hidden tokens.</param>
    /// <param name="drawn">One for each.</param>
    /// <returns>For each token of the batch 1 where it is another than in the text, else 0.</returns>
    internal static int[] Put(Batch batch, MaskedTokens masked, int[] drawn)
    {
        var labels = new int[batch.Tokens];
        foreach (var (i, token) in masked.Positions.Index())
        {
            batch.InputIds[token] = drawn[i];
            labels[token] = drawn[i] == masked.Targets[i] ? 0 : 1;
        }
        return labels;
    }

    private static int[] Draw(Batch batch, MaskedLMOutput proposed, ulong key, long update, Func<int, int> numberOf)
    {
        var lines = batch.Sequences.AllTokens;
        return proposed.Draw([.. proposed.Positions.Select(token =>
            Philox.Block(key, (uint)lines.IndexInRow[token], (uint)numberOf(lines.RowNumber[token]), (uint)update, (uint)(update >> 32)).A / (double)(1L << 32))]);
    }
}
