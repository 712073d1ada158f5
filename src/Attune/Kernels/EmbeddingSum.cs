namespace Attune.Kernels;

/// <summary>Sums of embedding rows, and the gradients of the tables.</summary>
internal static unsafe class EmbeddingSum
{
    /// <summary>output[t] = words[ids[t]] + positions[positionIds[t]] + types[typeIds[t]], of the last two what there is.</summary>
    /// <param name="ids">(T), each below V.</param>
    /// <param name="positionIds">(T), each below P.</param>
    /// <param name="typeIds">(T), each below K.</param>
    /// <param name="words">(V,H).</param>
    /// <param name="positions">(P,H), or null.</param>
    /// <param name="types">(K,H), or null.</param>
    /// <param name="output">Receives (T,H).</param>
    /// <param name="hidden">H.</param>
    internal static void Forward(
        int[] ids, int[] positionIds, int[] typeIds, float* words, float* positions, float* types, float* output, int hidden) =>
        CpuLoop.Pieces(ids.Length, 3L * hidden, (_, from, to) =>
        {
            for (var token = from; token < to; token++)
            {
                var row = output + (long)token * hidden;
                new Span<float>(words + (long)ids[token] * hidden, hidden).CopyTo(new Span<float>(row, hidden));
                if (positions is not null) Vectors.Add(row, positions + (long)positionIds[token] * hidden, hidden);
                if (types is not null) Vectors.Add(row, types + (long)typeIds[token] * hidden, hidden);
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
                    Vectors.Add(table + (long)ids[token] * hidden + from, gradient + (long)token * hidden + from, to - from);
        });

    /// <summary>x[l] += line, for all lines of x.</summary>
    internal static void AddToLines(float* x, int lines, int columns, float* line) =>
        CpuLoop.Pieces(lines, columns, (_, from, to) =>
        {
            for (var l = from; l < to; l++) Vectors.Add(x + (long)l * columns, line, columns);
        });

    /// <summary>sums[c] += the sum of column c.</summary>
    internal static void ColumnSums(float* x, int lines, int columns, float* sums) =>
        CpuLoop.Pieces(columns, 2L * lines, (_, from, to) =>
        {
            for (var line = 0; line < lines; line++) Vectors.Add(sums + from, x + (long)line * columns + from, to - from);
        });
}
