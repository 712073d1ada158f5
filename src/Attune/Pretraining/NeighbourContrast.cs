using Attune.Batching;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Pretraining;

// Legend: R rows of a batch, P of them whose neighbour is in it too, H hidden size.

/// <summary>
/// Finding the row that stands beside a row in its text among all rows of a batch, by the cosine of what the model says of each: the loss of SimCLR (Chen et
/// al., 2020) and SimCSE (Gao et al., 2021) with spans of one document as pairs, as DeCLUTR has them (Giorgi et al., 2021). Other rows of the same text are
/// neither right nor wrong.
/// </summary>
/// <param name="data">The rows, of which <see cref="HasPairs"/> holds.</param>
/// <param name="temperature">By which cosines are divided.</param>
internal sealed class NeighbourContrast(TokenizedDataset data, double temperature)
{
    private readonly int[] _starts = data.TextStarts!;

    /// <summary>Whether any row has a neighbour.</summary>
    internal static bool HasPairs(TokenizedDataset data) => data.TextStarts is not null;

    /// <summary>The order in which neighbours come together.</summary>
    internal static Sampler Order(TokenizedDataset data, long seed) => Sampler.Neighbours(data.TextStarts!, seed);

    /// <summary>The loss of a batch, a mean over the rows with a neighbour in it.</summary>
    /// <param name="pooled">(R,H).</param>
    /// <param name="rows">Their numbers in the data set.</param>
    /// <param name="gradient">Receives (R,H); null where it is not wanted.</param>
    /// <returns>0 where no row has a neighbour; and how many have, and how many of them are nearest to it.</returns>
    internal (double Loss, long Right, long Count) Of(float[] pooled, int[] rows, float[]? gradient)
    {
        var (asking, neighbours) = Pairs(rows);
        if (asking.Length == 0) return (0, 0, 0);
        using var scope = NewDisposeScope();
        using var mode = set_grad_enabled(gradient is not null);
        var states = tensor(pooled, [rows.Length, pooled.Length / rows.Length], requires_grad: gradient is not null);
        var directions = F.normalize(states, dim: 1);
        var likeness = directions.mm(directions.t()).div(temperature).masked_fill(NeitherNor(rows, asking, neighbours), float.NegativeInfinity);
        Tensor found = likeness.index_select(0, tensor(asking)), right = tensor(neighbours);                            // (P,R), (P)
        var loss = F.cross_entropy(found, right);
        if (gradient is not null)
        {
            loss.backward();
            states.grad!.contiguous().data<float>().CopyTo(gradient);
        }
        return (loss.item<float>(), found.argmax(1).eq(right).sum().item<long>(), asking.Length);
    }

    /// <summary>Places in the batch of rows whose neighbour stands beside them there too, and the places of these neighbours: each pair both ways.</summary>
    private (long[] Asking, long[] Neighbours) Pairs(int[] rows)
    {
        List<long> asking = [], neighbours = [];
        for (var i = 0; i + 1 < rows.Length; i++)
        {
            if (rows[i + 1] != rows[i] + 1 || TextOf(rows[i]) != TextOf(rows[i + 1])) continue;
            asking.AddRange([i, i + 1]);
            neighbours.AddRange([i + 1, i]);
            i++;                                                           // a row has one neighbour at a time
        }
        return ([.. asking], [.. neighbours]);
    }

    /// <summary>(R,R): a row itself, and rows of its text that are not its neighbour.</summary>
    private Tensor NeitherNor(int[] rows, long[] asking, long[] neighbours)
    {
        var texts = Array.ConvertAll(rows, TextOf);
        var hidden = new bool[rows.Length * rows.Length];
        for (var i = 0; i < rows.Length; i++)
            for (var j = 0; j < rows.Length; j++) hidden[i * rows.Length + j] = texts[i] == texts[j];
        foreach (var (row, neighbour) in asking.Zip(neighbours)) hidden[row * rows.Length + neighbour] = false;
        return tensor(hidden, [rows.Length, rows.Length]);
    }

    private int TextOf(int row)
    {
        var found = Array.BinarySearch(_starts, row);
        return found >= 0 ? found : ~found - 1;
    }
}
