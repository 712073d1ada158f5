namespace Attune.Kernels;

// Legend: T tokens, H hidden size, k size of the window, odd.

/// <summary>
/// What a convolution along the rows reads: beside each token those of its row in the columns before and after it. So the convolution is one product of
/// matrices with its weights (H,H,k) as they lie in the file. Columns that the batch does not have are zero.
/// </summary>
internal static unsafe class NeighbourColumns
{
    /// <param name="x">(T,H).</param>
    /// <param name="sequences">The rows.</param>
    /// <param name="hidden">H.</param>
    /// <param name="size">k.</param>
    /// <param name="output">Receives (T,H,k).</param>
    internal static void Gather(float* x, Sequences sequences, int hidden, int size, float* output) =>
        CpuLoop.Pieces(sequences.Tokens, 4L * hidden * size, (_, from, to) =>
        {
            for (var token = from; token < to; token++)
                for (var offset = 0; offset < size; offset++)
                {
                    var neighbour = At(sequences, token, offset - size / 2);
                    float* line = output + (long)token * hidden * size + offset, source = x + (long)neighbour * hidden;
                    for (var d = 0; d < hidden; d++) line[d * size] = neighbour < 0 ? 0 : source[d];
                }
        });

    /// <summary>Adds to the gradient of x, (T,H), what that of the output, (T,H,k), gives it.</summary>
    internal static void AddGradient(float* gradient, Sequences sequences, int hidden, int size, float* x) =>
        CpuLoop.Pieces(sequences.Tokens, 4L * hidden * size, (_, from, to) =>
        {
            for (var token = from; token < to; token++)
                for (var offset = 0; offset < size; offset++)
                {
                    // Who reads this token at that offset stands as far on the other side of it.
                    var reader = At(sequences, token, size / 2 - offset);
                    if (reader < 0) continue;
                    float* line = gradient + (long)reader * hidden * size + offset, sum = x + (long)token * hidden;
                    for (var d = 0; d < hidden; d++) sum[d] += line[d * size];
                }
        });

    /// <summary>The token of the same row so many columns further, or -1.</summary>
    private static int At(Sequences sequences, int token, int distance)
    {
        var row = sequences.AllTokens.RowNumber[token] - sequences.FirstRowNumber;
        var (columns, at) = (sequences.Columns, token);
        var wanted = columns[token] + distance;
        while (at > sequences.Offsets[row] && columns[at] > wanted) at--;
        while (at < sequences.Offsets[row + 1] - 1 && columns[at] < wanted) at++;
        return columns[at] == wanted ? at : -1;
    }
}
