using System.Numerics;

namespace Attune.Kernels;

// Legend: T tokens, R rows (sequences), Q queries (T, R where only first tokens ask, or as many as are chosen), N heads, D size of a head, H = N D, s length of a row.

/// <summary>
/// Scaled dot-product attention of each row's tokens among themselves, without padding. The probabilities are not kept: backward computes
/// them again from queries, keys and the logarithm of each query's sum (Dao et al., FlashAttention, 2022, section 3.1).
/// </summary>
/// <remarks>Queries, keys and values are read where the projections left them, their biases not yet added.</remarks>
internal sealed unsafe partial class PackedAttention
{
    private const int QueryBlock = 32;                                     // rows of scores at a time: they stay in the first-level cache

    private readonly Sequences _sequences;
    private readonly int _heads, _headSize, _hidden;
    private readonly bool _firstTokensOnly;
    private readonly Dropout _dropout;
    private readonly ChosenTokens? _chosen;
    private readonly AttentionView _view;
    private readonly float _scale;
    private TransposedPositions? _positions;                               // while a pass runs

    /// <param name="sequences">The rows.</param>
    /// <param name="heads">N.</param>
    /// <param name="headSize">D.</param>
    /// <param name="firstTokensOnly">Whether only each row's first token asks: Q is R then, else T.</param>
    /// <param name="dropout">Of the probabilities.</param>
    /// <param name="chosen">The tokens that ask, where it is only some: Q is their number then.</param>
    /// <param name="view">What it looks at beside queries, keys and values.</param>
    internal PackedAttention(
        Sequences sequences, int heads, int headSize, bool firstTokensOnly, Dropout dropout, ChosenTokens? chosen = null, AttentionView view = default)
    {
        (_sequences, _heads, _headSize, _firstTokensOnly, _dropout, _chosen, _view) = (sequences, heads, headSize, firstTokensOnly, dropout, chosen, view);
        _hidden = heads * headSize;
        _scale = (float)(1 / Math.Sqrt((double)headSize * (1 + view.ExtraTerms)));
    }

    /// <summary>A matrix whose columns [0, H) are used.</summary>
    /// <param name="Data">First element.</param>
    /// <param name="Step">From one line to the next.</param>
    internal readonly record struct Matrix(nint Data, int Step)
    {
        internal Matrix(float* data, int step) : this((nint)data, step)
        {
        }

        internal float* At(long line, int column) => (float*)Data + line * Step + column;
    }

    /// <summary>Projections and their biases (H each); null where they are added already.</summary>
    internal readonly record struct Inputs(Matrix Query, Matrix Key, Matrix Value, nint QueryBias, nint KeyBias, nint ValueBias);

    private int Queries(int row) => _chosen is { } some ? some.Offsets[row + 1] - some.Offsets[row] : _firstTokensOnly ? 1 : _sequences.Length(row);

    private int FirstQuery(int row) => _chosen is { } some ? some.Offsets[row] : _firstTokensOnly ? row : _sequences.Offsets[row];

    /// <summary>Which token of its row a query is.</summary>
    /// <param name="first">The row's first query.</param>
    /// <param name="query">Its number in the row.</param>
    private int IndexInRow(int first, int query) => _chosen is { } some ? some.Lines.IndexInRow[first + query] : query;

    private long Operations
    {
        get
        {
            var sum = 0L;
            for (var row = 0; row < _sequences.Rows; row++) sum += (long)Queries(row) * _sequences.Length(row) * _hidden;
            return sum;
        }
    }

    /// <summary>Computes the context.</summary>
    /// <param name="inputs">(Q,H), (T,H), (T,H).</param>
    /// <param name="context">Receives (Q,H), contiguous.</param>
    /// <param name="logSums">Receives (Q,N), the logarithm of the sum of exponentials of each query's scores.</param>
    internal void Forward(Inputs inputs, float* context, float* logSums)
    {
        using var positions = _positions = Transposed();
        CpuLoop.Items(_sequences.Rows * _heads, Operations, item =>
            {
                int row = item / _heads, head = item % _heads;
                var part = new Part(this, inputs, row, head, backward: false);
                for (var first = 0; first < part.Queries; first += QueryBlock)
                {
                    var count = Math.Min(QueryBlock, part.Queries - first);
                    var seen = part.Seen(first, count);
                    part.Scores(first, count, seen);
                    for (var i = 0; i < count; i++)
                    {
                        var probabilities = part.Probability + i * seen.Padded;
                        logSums[(part.FirstQuery + first + i) * _heads + head] = Softmax(probabilities, seen.Keys, seen.Padded);
                        if (!_dropout.IsActive) continue;
                        var factors = part.DropoutFactors(first + i, seen);
                        for (var j = 0; j < seen.Padded; j += Vector<float>.Count)
                            Vector.Store(Vector.Load(probabilities + j) * Vector.Load(factors + j), probabilities + j);
                    }
                    SmallGemm.Multiply(count, _headSize, seen.Keys, part.Probability, seen.Padded, 1, part.Value + seen.First * _headSize, _headSize,
                        context + (long)(part.FirstQuery + first) * _hidden + head * _headSize, _hidden, accumulate: false);
                }
            });
    }

    /// <summary>Computes the gradients of the projections.</summary>
    /// <param name="inputs">As in <see cref="Forward"/>.</param>
    /// <param name="logSums">(Q,N), from <see cref="Forward"/>.</param>
    /// <param name="contextGradient">(Q,H), contiguous.</param>
    /// <param name="query">Receives (Q,H).</param>
    /// <param name="key">Receives (T,H).</param>
    /// <param name="value">Receives (T,H).</param>
    /// <param name="relative">Receives those of the relative scores, where there are any.</param>
    internal void Backward(
        Inputs inputs, float* logSums, float* contextGradient, Matrix query, Matrix key, Matrix value, RelativeScores.Gradients relative = default)
    {
        if (_view.Relative is null)
        {
            CpuLoop.Items(_sequences.Rows * _heads, 3 * Operations, item => OfRow(item / _heads, item % _heads, default));
            return;
        }

        using var positions = _positions = Transposed();
        // All rows share these gradients: each group of rows has its own sums, and so the order of adding does not depend on the threads.
        using var sums = new RelativeSums(_view.Relative, relative, _heads, _headSize, _sequences.Rows);
        CpuLoop.Items(sums.Groups * _heads, 3 * Operations, item =>
        {
            int group = item / _heads, head = item % _heads;
            var (from, to) = sums.Rows(group);
            for (var row = from; row < to; row++) OfRow(row, head, sums.Of(group));
        });
        sums.AddUp();

        void OfRow(int row, int head, RelativeScores.Gradients relativeSums)
        {
            var column = head * _headSize;
            var part = new Part(this, inputs, row, head, backward: true);
            for (var j = 0; j < part.Length; j++)
            {
                new Span<float>(key.At(part.FirstToken + j, column), _headSize).Clear();
                new Span<float>(value.At(part.FirstToken + j, column), _headSize).Clear();
            }
            for (var first = 0; first < part.Queries; first += QueryBlock)
            {
                var count = Math.Min(QueryBlock, part.Queries - first);
                var outer = contextGradient + (long)(part.FirstQuery + first) * _hidden + column;
                var seen = part.Seen(first, count);
                part.Scores(first, count, seen);
                SmallGemm.Multiply(count, seen.Padded, _headSize, outer, _hidden, 1, part.ValueTransposed + seen.First, part.Padded,
                    part.Gradient, seen.Padded, accumulate: false);
                for (var i = 0; i < count; i++)
                {
                    float* probabilities = part.Probability + i * seen.Padded, gradients = part.Gradient + i * seen.Padded;
                    Exponentials(probabilities, logSums[(part.FirstQuery + first + i) * _heads + head], seen.Keys, seen.Padded);
                    var factors = _dropout.IsActive ? part.DropoutFactors(first + i, seen) : null;
                    ScoreGradient(probabilities, gradients, factors, seen.Padded, _scale);
                    if (part.SeesNothing(first + i, seen)) new Span<float>(gradients, seen.Padded).Clear();
                }
                var keyAt = part.FirstToken + part.FirstKey + seen.First;
                SmallGemm.Multiply(seen.Keys, _headSize, count, part.Probability, 1, seen.Padded, outer, _hidden,
                    value.At(keyAt, column), value.Step, accumulate: true);
                SmallGemm.Multiply(count, _headSize, seen.Keys, part.Gradient, seen.Padded, 1, part.Key + seen.First * _headSize, _headSize,
                    query.At(part.FirstQuery + first, column), query.Step, accumulate: false);
                SmallGemm.Multiply(seen.Keys, _headSize, count, part.Gradient, 1, seen.Padded, part.Query, _headSize,
                    key.At(keyAt, column), key.Step, accumulate: true);
                if (_view.Relative is not null)
                    part.Relative.Backward(part, first, count, seen, query.At(part.FirstQuery + first, column), query.Step, relativeSums);
            }
            if (_view.Relative is not null && part.Queries > 0) part.Relative.EndBackward(part, key.At(part.FirstToken + part.FirstKey, column), key.Step, relativeSums);
        }
    }

    private TransposedPositions? Transposed() => _view.Relative is { } scores ? new(scores, _hidden) : null;

    /// <summary>Turns scores into probabilities in place (zero beyond the keys) and returns the logarithm of the sum.</summary>
    private static float Softmax(float* scores, int count, int padded)
    {
        for (var j = count; j < padded; j++) scores[j] = float.NegativeInfinity;
        var largest = Vector.Load(scores);
        for (var j = Vector<float>.Count; j < padded; j += Vector<float>.Count) largest = Vector.Max(largest, Vector.Load(scores + j));
        var most = largest[0];
        for (var lane = 1; lane < Vector<float>.Count; lane++) most = MathF.Max(most, largest[lane]);
        Exponentials(scores, most, count, padded);
        Vector<float> sums = default;
        for (var j = 0; j < padded; j += Vector<float>.Count) sums += Vector.Load(scores + j);
        var sum = Vector.Sum(sums);
        var inverse = new Vector<float>(1 / sum);
        for (var j = 0; j < padded; j += Vector<float>.Count) Vector.Store(Vector.Load(scores + j) * inverse, scores + j);
        return most + MathF.Log(sum);
    }

    private static void Exponentials(float* scores, float less, int count, int padded)
    {
        var offset = new Vector<float>(less);
        for (var j = 0; j < padded; j += Vector<float>.Count) Vector.Store(Vector.Exp(Vector.Load(scores + j) - offset), scores + j);
        for (var j = count; j < padded; j++) scores[j] = 0;
    }

    /// <summary>
    /// From probabilities and the gradients of what multiplied the values: scaled gradients of the scores, and the probabilities with dropout.
    /// </summary>
    /// <param name="probabilities">Zero beyond the keys, as the gradients are.</param>
    /// <param name="gradients">Replaced.</param>
    /// <param name="factors">Of dropout, or null.</param>
    /// <param name="padded">Length of all three, whole vectors.</param>
    /// <param name="scale">Of the scores.</param>
    private static void ScoreGradient(float* probabilities, float* gradients, float* factors, int padded, float scale)
    {
        Vector<float> sums = default;
        for (var j = 0; j < padded; j += Vector<float>.Count)
        {
            var gradient = Vector.Load(gradients + j);
            if (factors is not null) Vector.Store(gradient *= Vector.Load(factors + j), gradients + j);
            sums = Vector.FusedMultiplyAdd(gradient, Vector.Load(probabilities + j), sums);
        }
        Vector<float> sum = new(Vector.Sum(sums)), scales = new(scale);
        for (var j = 0; j < padded; j += Vector<float>.Count)
        {
            var probability = Vector.Load(probabilities + j);
            Vector.Store(probability * (Vector.Load(gradients + j) - sum) * scales, gradients + j);
            if (factors is not null) Vector.Store(probability * Vector.Load(factors + j), probabilities + j);
        }
    }
}
