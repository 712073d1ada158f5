using Attune.Batching;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Pretraining;

// Legend: V tokens of the vocabulary, C tokens that are counted as neighbours, H size of a vector, D dimensions that are searched.

/// <summary>Vectors of tokens by the company they keep: near each other where the tokens stand among the same others.</summary>
/// <remarks>
/// The positive pointwise mutual information of tokens at most five apart, the nearer ones counting more, with the frequencies of the neighbours flattened by
/// the power 0.75, in its H largest dimensions, each weighted by the root of its singular value: Levy, Goldberg and Dagan, "Improving Distributional Similarity
/// with Lessons Learned from Word Embeddings", 2015. The dimensions are found by random projection: Halko, Martinsson and Tropp, "Finding Structure with
/// Randomness", 2011.
/// </remarks>
internal static unsafe class WordVectors
{
    private const int Window = 5, Oversampling = 32, Iterations = 3;
    private const double Flattening = 0.75;

    /// <summary>Squares of singular values, as a share of the largest, that are no more than rounding.</summary>
    private const double Precision = 1e-6;

    /// <summary>Numbers of the table of counts at most: 256 MiB.</summary>
    private const long MostCounts = 1 << 26;

    /// <summary>Of more tokens than that rows at equal distances are counted: further ones would take minutes and change little.</summary>
    private const long MostTokens = 1 << 25;

    /// <summary>Computes them.</summary>
    /// <param name="rows">Text as tokens.</param>
    /// <param name="frequencies">How often each token stands in it (V); those of which this is 0 have no vector, and are nobody's neighbour.</param>
    /// <param name="size">H.</param>
    /// <param name="seed">Of the projection.</param>
    /// <returns>(V,H): of length 1, or 0 where a token has no vector.</returns>
    internal static float[] Of(IReadOnlyList<TokenizedRow> rows, long[] frequencies, int size, ulong seed)
    {
        LibTorch.Load();
        using var scope = NewDisposeScope();
        var columns = Columns(frequencies, (int)Math.Min(frequencies.Length, MostCounts / frequencies.Length));
        using var counts = Count(rows, frequencies, columns);
        Inform(LibTorch.Floats(counts), (int)counts.shape[0], (int)counts.shape[1]);
        var vectors = Reduce(counts, size, seed);
        for (var id = 0; id < frequencies.Length; id++)
            if (frequencies[id] == 0) vectors.AsSpan(id * size, size).Clear();
        return vectors;
    }

    /// <summary>The number of each token among the neighbours, -1 where it is none: the most frequent tokens are.</summary>
    private static int[] Columns(long[] frequencies, int most)
    {
        var columns = new int[frequencies.Length];
        Array.Fill(columns, -1);
        var chosen = Enumerable.Range(0, columns.Length).Where(id => frequencies[id] > 0).OrderByDescending(id => frequencies[id]).ThenBy(id => id).Take(most);
        foreach (var (column, id) in chosen.Index()) columns[id] = column;
        return columns;
    }

    /// <summary>How often tokens stand near each other, (V,C); a pair counts as much as 1 divided by its distance.</summary>
    private static Tensor Count(IReadOnlyList<TokenizedRow> rows, long[] frequencies, int[] columns)
    {
        var width = Math.Max(1, columns.Max() + 1);
        var counts = LibTorch.Empty(frequencies.Length, width);
        LibTorch.Span(counts).Clear();
        var table = LibTorch.Floats(counts);
        var stride = (int)Math.Max(1, (frequencies.Sum() + MostTokens - 1) / MostTokens);
        for (var row = 0; row < rows.Count; row += stride)
        {
            var ids = rows[row].InputIds;
            for (var i = 0; i < ids.Length; i++)
                for (var distance = 1; distance <= Math.Min(Window, i); distance++)
                {
                    int left = ids[i - distance], right = ids[i];
                    if (frequencies[left] == 0 || frequencies[right] == 0) continue;
                    var share = 1f / distance;
                    if (columns[right] is >= 0 and var after) table[(long)left * width + after] += share;
                    if (columns[left] is >= 0 and var before) table[(long)right * width + before] += share;
                }
        }
        return counts;
    }

    /// <summary>Counts become the information that they give on each other, where it is positive.</summary>
    private static void Inform(float* counts, int lines, int width)
    {
        double[] ofLine = new double[lines], ofColumn = new double[width];
        for (var line = 0; line < lines; line++)
            for (var column = 0; column < width; column++)
            {
                var count = counts[(long)line * width + column];
                ofLine[line] += count;
                ofColumn[column] += count;
            }
        for (var column = 0; column < width; column++) ofColumn[column] = Math.Pow(ofColumn[column], Flattening);
        var all = ofColumn.Sum();
        CpuLoop.Pieces(lines, 8L * width, (_, from, to) =>
        {
            for (var line = from; line < to; line++)
                for (var column = 0; column < width; column++)
                {
                    ref var count = ref counts[(long)line * width + column];
                    if (count > 0) count = (float)Math.Max(0, Math.Log(count / ofLine[line] * (all / ofColumn[column])));
                }
        });
    }

    /// <summary>The largest dimensions of (V,C), each weighted by the root of its singular value, turned by chance and each line brought to length 1.</summary>
    private static float[] Reduce(Tensor information, int size, ulong seed)
    {
        var lines = information.shape[0];
        var searched = Math.Min(size + Oversampling, Math.Min(lines, information.shape[1]));
        var transposed = information.t();
        using Tensor projection = Normal(information.shape[1], searched, seed, "projection"), directions = Normal(size, size, seed, "directions");
        var range = information.mm(projection);                                                                         // (V,D)
        for (var i = 0; i < Iterations; i++) range = information.mm(transposed.mm(Orthogonal(range)));
        range = Orthogonal(range);
        var inside = range.t().mm(information);                                                                         // (D,C)
        var (squares, turns) = linalg.eigh(inside.mm(inside.t()));                                                      // ascending
        var kept = Math.Min(size, searched);
        var known = squares.narrow(0, searched - kept, kept);                                                           // squares of singular values
        var weights = where(known > squares[-1] * Precision, known, zeros_like(known)).pow(0.25);
        var spread = Orthogonal(directions).narrow(0, 0, kept);                                                         // (kept,H)
        var vectors = (range.mm(turns.narrow(1, searched - kept, kept)) * weights).mm(spread).contiguous();             // (V,H)
        var result = LibTorch.Span(vectors).ToArray();
        for (var line = 0; line < lines; line++)
        {
            var vector = result.AsSpan(line * size, size);
            var length = Math.Sqrt(Dot(vector));
            var factor = length > 1e-6 ? (float)(1 / length) : 0;
            foreach (ref var number in vector) number *= factor;
        }
        return result;
    }

    private static Tensor Normal(long lines, long columns, ulong seed, string name)
    {
        var result = LibTorch.Empty(lines, columns);
        NormalNumbers.Fill(LibTorch.Span(result), 1, seed, "word vectors: " + name);
        return result;
    }

    private static Tensor Orthogonal(Tensor matrix) => linalg.qr(matrix).Q;

    private static double Dot(ReadOnlySpan<float> vector)
    {
        var sum = 0.0;
        foreach (var number in vector) sum += (double)number * number;
        return sum;
    }
}
