namespace Attune.Kernels;

// Legend: T tokens, R rows, H hidden size.

/// <summary>The mean state of each row's tokens, of those that the mask shows.</summary>
internal static unsafe class RowMeans
{
    /// <param name="x">(T,H).</param>
    /// <param name="sequences">The rows.</param>
    /// <param name="hidden">H.</param>
    /// <param name="means">Receives (R,H).</param>
    internal static void Forward(float* x, Sequences sequences, int hidden, float* means) =>
        CpuLoop.Items(sequences.Rows, (long)sequences.Tokens * hidden, row =>
        {
            var mean = new Span<float>(means + (long)row * hidden, hidden);
            mean.Clear();
            var shown = 0;
            for (var token = sequences.Offsets[row]; token < sequences.Offsets[row + 1]; token++)
            {
                if (!IsShown(sequences, row, token)) continue;
                Vectors.Add(means + (long)row * hidden, x + (long)token * hidden, hidden);
                shown++;
            }
            foreach (ref var value in mean) value /= shown;
        });

    /// <param name="gradient">(R,H), of the means.</param>
    /// <param name="sequences">The rows.</param>
    /// <param name="hidden">H.</param>
    /// <param name="x">Receives (T,H).</param>
    internal static void Backward(float* gradient, Sequences sequences, int hidden, float* x) =>
        CpuLoop.Items(sequences.Rows, (long)sequences.Tokens * hidden, row =>
        {
            var shown = 0;
            for (var token = sequences.Offsets[row]; token < sequences.Offsets[row + 1]; token++) shown += IsShown(sequences, row, token) ? 1 : 0;
            for (var token = sequences.Offsets[row]; token < sequences.Offsets[row + 1]; token++)
            {
                float* line = x + (long)token * hidden, outer = gradient + (long)row * hidden;
                var isShown = IsShown(sequences, row, token);
                for (var d = 0; d < hidden; d++) line[d] = isShown ? outer[d] / shown : 0;
            }
        });

    private static bool IsShown(Sequences sequences, int row, int token) =>
        token >= sequences.Offsets[row] + sequences.FirstKey(row) && sequences.Hidden?[token] != true;
}
