namespace Attune.Kernels;

/// <summary>
/// The step in the word embeddings that makes the loss of a row worst to first order: epsilon g / |g|, where g is the gradient of all its tokens together
/// (Miyato, Dai, Goodfellow: "Adversarial Training Methods for Semi-Supervised Text Classification", ICLR 2017, equation 5).
/// </summary>
internal static unsafe class EmbeddingShift
{
    /// <summary>Turns gradients into steps. A row without a gradient stays where it is.</summary>
    /// <param name="gradient">(T,H); replaced.</param>
    /// <param name="rows">Where the rows lie among the tokens.</param>
    /// <param name="hidden">H.</param>
    /// <param name="epsilon">Length of a row's step.</param>
    internal static void Normalise(float* gradient, Sequences rows, int hidden, double epsilon) =>
        CpuLoop.Items(rows.Rows, 3L * rows.Tokens * hidden, row =>
        {
            double squares = 0, largest = 0;
            float* first = gradient + (long)rows.Offsets[row] * hidden, end = gradient + (long)rows.Offsets[row + 1] * hidden;
            for (var x = first; x < end; x++) largest = Math.Max(largest, Math.Abs(*x));
            if (largest == 0) return;
            for (var x = first; x < end; x++) squares += *x / largest * (*x / largest);     // the square of a small gradient would be 0
            var factor = epsilon / (largest * Math.Sqrt(squares));
            for (var x = first; x < end; x++) *x = (float)(*x * factor);
        });

    /// <summary>x += shift, (T,H) both.</summary>
    internal static void Add(float* x, float* shift, int tokens, int hidden) => CpuLoop.Pieces(tokens, hidden, (_, from, to) =>
    {
        for (var token = from; token < to; token++) Vectors.Add(x + (long)token * hidden, shift + (long)token * hidden, hidden);
    });
}
