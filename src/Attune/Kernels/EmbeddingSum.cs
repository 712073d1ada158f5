namespace Attune.Kernels;

/// <summary>Sums of embedding rows, and the gradients of the tables.</summary>
internal static unsafe class EmbeddingSum
{
    /// <summary>output[t] = words[ids[t]] + positions[at[t]] + types[kinds[t]].</summary>
    internal static void Forward(
        int[] ids, int[] at, int[] kinds, float* words, float* positions, float* types, float* output, int hidden) =>
        CpuLoop.Pieces(ids.Length, 3L * hidden, (_, from, to) =>
        {
            for (var token = from; token < to; token++)
            {
                var row = output + (long)token * hidden;
                new Span<float>(words + (long)ids[token] * hidden, hidden).CopyTo(new Span<float>(row, hidden));
                ResidualNorm.Add(row, positions + (long)at[token] * hidden, hidden);
                ResidualNorm.Add(row, types + (long)kinds[token] * hidden, hidden);
            }
        });

    /// <summary>table[ids[t]] += gradient[t]; the threads share the columns, so the order of the sums is always the same.</summary>
    /// <param name="ids">(T).</param>
    /// <param name="gradient">(T,H).</param>
    /// <param name="table">(V,H).</param>
    /// <param name="hidden">H.</param>
    /// <param name="without">The row that gets no gradient (padding), or -1.</param>
    internal static void Backward(int[] ids, float* gradient, float* table, int hidden, int without = -1) =>
        CpuLoop.Pieces(hidden, 2L * ids.Length, (_, from, to) =>
        {
            for (var token = 0; token < ids.Length; token++)
                if (ids[token] != without)
                    ResidualNorm.Add(table + (long)ids[token] * hidden + from, gradient + (long)token * hidden + from, to - from);
        });

    /// <summary>sums[c] += the sum of column c.</summary>
    internal static void ColumnSums(float* x, int lines, int columns, float* sums) =>
        CpuLoop.Pieces(columns, 2L * lines, (_, from, to) =>
        {
            for (var line = 0; line < lines; line++) ResidualNorm.Add(sums + from, x + (long)line * columns + from, to - from);
        });
}
