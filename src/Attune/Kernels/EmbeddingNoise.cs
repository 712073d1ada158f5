using System.Numerics;

namespace Attune.Kernels;

/// <summary>
/// Uniform noise on the word embeddings of one pass (NEFTune): within alpha / sqrt(tokens of the row x hidden size). Like <see cref="Dropout"/> it is a
/// pure function of seed, update, row and token.
/// </summary>
/// <param name="alpha">0 for none.</param>
/// <param name="key">As of dropout.</param>
internal readonly unsafe struct EmbeddingNoise(double alpha, ulong key)
{
    /// <summary>Apart from those of dropout, which count up from 0.</summary>
    private const uint Place = 1u << 31;

    private const float Unit = 1f / (1u << 31);                            // whole numbers of 32 bits to -1 to below 1

    /// <summary>No noise.</summary>
    internal static EmbeddingNoise None => default;

    /// <summary>x[t] += noise.</summary>
    /// <param name="x">(T,H).</param>
    /// <param name="rows">Where the rows lie among the tokens.</param>
    /// <param name="hidden">H.</param>
    internal void Add(float* x, Sequences rows, int hidden)
    {
        if (alpha == 0) return;
        var (noise, numbersKey) = (alpha, key);
        CpuLoop.Pieces(rows.Tokens, 8L * hidden, (_, from, to) =>
        {
            var numbers = (int*)Scratch.OfThisThread(Philox.Room(hidden)).Floats(Philox.Room(hidden));
            for (var token = from; token < to; token++)
            {
                int row = rows.AllTokens.RowNumber[token], index = rows.AllTokens.IndexInRow[token];
                Philox.Fill((uint*)numbers, hidden, numbersKey, (uint)index, (uint)row, Place);
                var size = (float)(noise / Math.Sqrt((double)rows.Length(row - rows.FirstRowNumber) * hidden)) * Unit;
                var line = x + (long)token * hidden;
                var i = 0;
                for (; i <= hidden - Vector<float>.Count; i += Vector<float>.Count)
                    Vector.Store(Vector.Load(line + i) + Vector.ConvertToSingle(Vector.Load(numbers + i)) * new Vector<float>(size), line + i);
                for (; i < hidden; i++) line[i] += numbers[i] * size;
            }
        });
    }
}
