namespace Attune.Models;

/// <summary>
/// Initial weights by which the heads of the first layers look at the neighbours of each token: the first head at the token before it, the second at the one
/// behind, the next two one further away, and so on.
/// </summary>
/// <remarks>
/// A hidden token is known by its neighbours, but with random weights a model does not know where these are: it stays at the frequencies of single words
/// until its positions have become regular enough for attention to follow them. Here each position is a row of sines and cosines, and a head's query asks
/// for the position at its distance: the product of two such rows is a sum of cosines of their distance, and all of them are 1 at the right one alone.
/// Learned like other weights from there on.
/// </remarks>
internal sealed class NeighbourAttention
{
    /// <summary>Number of layers that begin so.</summary>
    internal const int Layers = 2;

    /// <summary>Score of the token that a head looks at, over that of others.</summary>
    private const double Peak = 4;

    /// <summary>Share of a normalised embedding's square that is its position's; word and type of the token have the others.</summary>
    private const double PositionShare = 1 / 3.0;

    private readonly int hidden, heads;
    private readonly double[] frequencies;                                 // one for each pair of numbers of a position

    /// <param name="hidden">H, size of the states.</param>
    /// <param name="heads">Of a layer.</param>
    /// <param name="seed">Of the frequencies.</param>
    internal NeighbourAttention(int hidden, int heads, ulong seed)
    {
        (this.hidden, this.heads) = (hidden, heads);
        // Spread evenly from 0 to pi, each moved a little by chance: at equal distances their cosines would meet again further on.
        var moves = new float[hidden / 2];
        UniformNumbers.Fill(moves, 0.5, seed, "frequencies of the positions");
        frequencies = [.. moves.Select((move, pair) => Math.PI * (pair + 0.5 + move) / moves.Length)];
    }

    /// <summary>Fills a table of positions.</summary>
    /// <param name="positions">(P,H), replaced.</param>
    /// <param name="deviation">Of its numbers.</param>
    internal void FillPositions(Span<float> positions, double deviation)
    {
        var amplitude = deviation * Math.Sqrt(2);
        for (var position = 0; position < positions.Length / hidden; position++)
            for (var pair = 0; pair < frequencies.Length; pair++)
            {
                var (sin, cos) = Math.SinCos(frequencies[pair] * position);
                positions[position * hidden + 2 * pair] = (float)(amplitude * sin);
                positions[position * hidden + 2 * pair + 1] = (float)(amplitude * cos);
            }
    }

    /// <summary>Turns the heads of a layer to the neighbours.</summary>
    /// <param name="query">(H,H), added to.</param>
    /// <param name="key">(H,H), added to.</param>
    internal void Turn(Span<float> query, Span<float> key)
    {
        var size = hidden / heads;
        var factor = (float)Math.Sqrt(Peak / (PositionShare * Math.Sqrt(size)));
        for (var head = 0; head < heads; head++)
        {
            var distance = (head / 2 + 1) * (head % 2 == 0 ? -1 : 1);
            for (var i = 0; i < size / 2; i++)
            {
                var pair = i * heads + head;                               // each head has its own, from the lowest frequency to the highest
                var (sin, cos) = Math.SinCos(frequencies[pair] * distance);
                int first = (head * size + 2 * i) * hidden + 2 * pair, second = first + hidden;
                query[first] += factor;
                query[second + 1] += factor;
                // The key of a position is turned back by the distance, so that it equals the query of the token that looks for it.
                key[first] += factor * (float)cos;
                key[first + 1] -= factor * (float)sin;
                key[second] += factor * (float)sin;
                key[second + 1] += factor * (float)cos;
            }
        }
    }
}
