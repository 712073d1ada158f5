using System.Numerics;
using System.Runtime.Intrinsics;

namespace Attune.Kernels;

// Legend: T tokens, R rows (sequences), Q queries (T, R where only first tokens ask, or as many as are chosen), N heads, D size of a head, H = N D, s length of a row.

/// <summary>
/// Scaled dot-product attention of each row's tokens among themselves, without padding. The probabilities are not kept: backward computes
/// them again from queries, keys and the logarithm of each query's sum (Dao et al., FlashAttention, 2022, section 3.1).
/// </summary>
/// <remarks>Queries, keys and values are read where the projections left them, their biases not yet added.</remarks>
internal sealed unsafe class PackedAttention
{
    private const int QueryBlock = 32;                                     // rows of scores at a time: they stay in the first-level cache

    private readonly Sequences _sequences;
    private readonly int _heads, _headSize, _hidden;
    private readonly bool _firstTokensOnly;
    private readonly Dropout _dropout;
    private readonly float _scale;
    private readonly ChosenTokens? _chosen;

    /// <param name="sequences">The rows.</param>
    /// <param name="heads">N.</param>
    /// <param name="headSize">D.</param>
    /// <param name="firstTokensOnly">Whether only each row's first token asks: Q is R then, else T.</param>
    /// <param name="dropout">Of the probabilities.</param>
    /// <param name="chosen">The tokens that ask, where it is only some: Q is their number then.</param>
    internal PackedAttention(Sequences sequences, int heads, int headSize, bool firstTokensOnly, Dropout dropout, ChosenTokens? chosen = null)
    {
        _chosen = chosen;
        (_sequences, _heads, _headSize, _firstTokensOnly, _dropout) = (sequences, heads, headSize, firstTokensOnly, dropout);
        _hidden = heads * headSize;
        _scale = (float)(1 / Math.Sqrt(headSize));
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

    /// <summary>Projections and their biases (H each).</summary>
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
    internal void Forward(Inputs inputs, float* context, float* logSums) => CpuLoop.Items(_sequences.Rows * _heads, Operations, item =>
    {
        int row = item / _heads, head = item % _heads;
        var part = new Part(this, inputs, row, head, backward: false);
        for (var first = 0; first < part.Queries; first += QueryBlock)
        {
            var count = Math.Min(QueryBlock, part.Queries - first);
            part.Scores(first, count);
            for (var i = 0; i < count; i++)
            {
                var probabilities = part.Probability + i * part.Padded;
                logSums[(part.FirstQuery + first + i) * _heads + head] = Softmax(probabilities, part.Keys, part.Padded);
                if (!_dropout.IsActive) continue;
                part.DropoutFactors(first + i);
                for (var j = 0; j < part.Padded; j += Vector<float>.Count)
                    Vector.Store(Vector.Load(probabilities + j) * Vector.Load(part.Factor + j), probabilities + j);
            }
            SmallGemm.Multiply(count, _headSize, part.Keys, part.Probability, part.Padded, 1, part.Value, _headSize,
                context + (long)(part.FirstQuery + first) * _hidden + head * _headSize, _hidden, accumulate: false);
        }
    });

    /// <summary>Computes the gradients of the projections.</summary>
    /// <param name="inputs">As in <see cref="Forward"/>.</param>
    /// <param name="logSums">(Q,N), from <see cref="Forward"/>.</param>
    /// <param name="contextGradient">(Q,H), contiguous.</param>
    /// <param name="query">Receives (Q,H).</param>
    /// <param name="key">Receives (T,H).</param>
    /// <param name="value">Receives (T,H).</param>
    internal void Backward(Inputs inputs, float* logSums, float* contextGradient, Matrix query, Matrix key, Matrix value) =>
        CpuLoop.Items(_sequences.Rows * _heads, 3 * Operations, item =>
        {
            int row = item / _heads, head = item % _heads, column = head * _headSize;
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
                part.Scores(first, count);
                SmallGemm.Multiply(count, part.Padded, _headSize, outer, _hidden, 1, part.ValueTransposed, part.Padded,
                    part.Gradient, part.Padded, accumulate: false);
                for (var i = 0; i < count; i++)
                {
                    float* probabilities = part.Probability + i * part.Padded, gradients = part.Gradient + i * part.Padded;
                    Exponentials(probabilities, logSums[(part.FirstQuery + first + i) * _heads + head], part.Keys, part.Padded);
                    if (_dropout.IsActive) part.DropoutFactors(first + i);
                    ScoreGradient(probabilities, gradients, _dropout.IsActive ? part.Factor : null, part.Padded, _scale);
                }
                var keyAt = part.FirstToken + part.FirstKey;
                SmallGemm.Multiply(part.Keys, _headSize, count, part.Probability, 1, part.Padded, outer, _hidden,
                    value.At(keyAt, column), value.Step, accumulate: true);
                SmallGemm.Multiply(count, _headSize, part.Keys, part.Gradient, part.Padded, 1, part.Key, _headSize,
                    query.At(part.FirstQuery + first, column), query.Step, accumulate: false);
                SmallGemm.Multiply(part.Keys, _headSize, count, part.Gradient, 1, part.Padded, part.Query, _headSize,
                    key.At(keyAt, column), key.Step, accumulate: true);
            }
        });

    /// <summary>One row and head: its keys and values with their biases, close together.</summary>
    private readonly ref struct Part
    {
        private readonly PackedAttention _attention;
        private readonly Inputs _inputs;
        private readonly int _row, _head;
        internal readonly int Queries, FirstQuery, FirstToken, Length, FirstKey, Keys, Padded;
        internal readonly float* Query, Probability, Gradient, Factor;
        internal readonly float* Key, Value, ValueTransposed;              // Value only forward, the other two only backward
        private readonly float* _keyTransposed;

        internal Part(PackedAttention attention, Inputs inputs, int row, int head, bool backward)
        {
            (_attention, _inputs, _row, _head) = (attention, inputs, row, head);
            var sequences = attention._sequences;
            int size = attention._headSize, column = head * size;
            (Queries, FirstQuery) = (attention.Queries(row), attention.FirstQuery(row));
            (FirstToken, Length, FirstKey) = (sequences.Offsets[row], sequences.Length(row), sequences.FirstKey(row));
            Keys = Length - FirstKey;
            Padded = (Keys + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
            var scratch = Scratch.OfThisThread((2L * Padded + Keys + QueryBlock) * size + 2L * QueryBlock * Padded + Dropout.Room(Keys));
            Query = scratch.Floats(QueryBlock * size);
            _keyTransposed = scratch.Floats(Padded * size);
            Probability = scratch.Floats(QueryBlock * Padded);
            Factor = scratch.Floats(Dropout.Room(Keys));
            float* keyBias = (float*)inputs.KeyBias + column, valueBias = (float*)inputs.ValueBias + column;
            if (!backward)
            {
                Value = scratch.Floats(Keys * size);
                for (var j = 0; j < Keys; j++) Vectors.Sum(inputs.Value.At(FirstToken + FirstKey + j, column), valueBias, Value + j * size, size);
                GatherTransposed(inputs.Key, keyBias, column, _keyTransposed, size);
                return;
            }
            Gradient = scratch.Floats(QueryBlock * Padded);
            Key = scratch.Floats(Keys * size);
            ValueTransposed = scratch.Floats(Padded * size);
            for (var j = 0; j < Keys; j++) Vectors.Sum(inputs.Key.At(FirstToken + FirstKey + j, column), keyBias, Key + j * size, size);
            GatherTransposed(inputs.Key, keyBias, column, _keyTransposed, size);
            GatherTransposed(inputs.Value, valueBias, column, ValueTransposed, size);
        }

        private void GatherTransposed(Matrix from, float* bias, int column, float* transposed, int size)
        {
            var j = 0;
            // Four tokens at a time: their elements are neighbours in the transposed matrix.
            for (; j <= Keys - 4; j += 4)
            {
                var line = from.At(FirstToken + FirstKey + j, column);
                float* line1 = line + from.Step, line2 = line1 + from.Step, line3 = line2 + from.Step;
                for (var d = 0; d < size; d++)
                    (Vector128.Create(line[d], line1[d], line2[d], line3[d]) + Vector128.Create(bias[d])).Store(transposed + d * Padded + j);
            }
            for (; j < Keys; j++)
            {
                var line = from.At(FirstToken + FirstKey + j, column);
                for (var d = 0; d < size; d++) transposed[d * Padded + j] = line[d] + bias[d];
            }
            for (var d = 0; d < size; d++) new Span<float>(transposed + d * Padded + Keys, Padded - Keys).Clear();
        }

        /// <summary>Fills <see cref="Query"/> with the block's queries and <see cref="Probability"/> with their scaled scores.</summary>
        internal void Scores(int first, int count)
        {
            int size = _attention._headSize, column = _head * size;
            var bias = (float*)_inputs.QueryBias + column;
            for (var i = 0; i < count; i++)
                Vectors.Sum(_inputs.Query.At(FirstQuery + first + i, column), bias, Query + i * size, size);
            SmallGemm.Multiply(count, Padded, size, Query, size, 1, _keyTransposed, Padded, Probability, Padded, accumulate: false);
            var scale = new Vector<float>(_attention._scale);
            for (var i = 0; i < count * Padded; i += Vector<float>.Count) Vector.Store(Vector.Load(Probability + i) * scale, Probability + i);
        }

        internal void DropoutFactors(int query) =>
            _attention._dropout.Factors(Factor, Keys, _attention._sequences.FirstRowNumber + _row, _attention.IndexInRow(FirstQuery, query), _head);
    }

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
