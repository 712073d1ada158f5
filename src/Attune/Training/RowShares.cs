using Attune.Batching;
using Attune.Distributed;

namespace Attune.Training;

/// <summary>Which rows of a batch each process computes: rows that lie together, as many for each; of batches made by tokens about as many tokens for each.</summary>
/// <param name="processes">Among whom they are shared out.</param>
/// <param name="data">The training rows.</param>
/// <param name="byTokens">Whether batches are made by tokens.</param>
internal sealed class RowShares(Communicator processes, TokenizedDataset data, bool byTokens)
{
    /// <summary>Among whom they are shared out.</summary>
    internal Communicator Processes => processes;

    /// <summary>The rows of this process.</summary>
    internal Range Of(int[] rows) => (byTokens ? ByTokens(rows) : Shards.Even(rows.Length, processes.Size)).Of(processes.Rank);

    /// <summary>A row belongs to the process in whose part of the tokens its middle lies.</summary>
    private Shards ByTokens(int[] rows)
    {
        var (all, before, starts) = (rows.Sum(row => (long)data.Rows[row].Length), 0L, new long[processes.Size + 1]);
        Array.Fill(starts, rows.Length);
        starts[0] = 0;
        var rank = 0;
        for (var place = 0; place < rows.Length; place++)
        {
            var length = data.Rows[rows[place]].Length;
            var owner = (int)((2 * before + length) * processes.Size / (2 * all));
            while (rank < owner) starts[++rank] = place;
            before += length;
        }
        return new Shards(starts);
    }
}
