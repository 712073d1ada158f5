using System.Numerics;
using System.Runtime.Intrinsics;

namespace Attune.Kernels;

internal sealed unsafe partial class PackedAttention
{
    /// <summary>The keys that a block of queries looks at: those from First on, counted from the row's first key. First is a multiple of a vector's length.</summary>
    /// <param name="First">Number of the first.</param>
    /// <param name="Keys">How many.</param>
    /// <param name="Padded">The same in whole vectors: from one line of scores to the next.</param>
    private readonly record struct SeenKeys(int First, int Keys, int Padded);

    private static int WholeVectors(int count) => (count + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

    /// <summary>One row and head: its keys and values with their biases, close together.</summary>
    private readonly ref struct Part
    {
        private readonly PackedAttention _attention;
        private readonly Inputs _inputs;
        private readonly int _row, _head;
        private readonly bool _hasHiddenKeys;
        internal readonly int Queries, FirstQuery, FirstToken, Length, FirstKey, Keys, Padded;
        internal readonly float* Query, Probability, Gradient;
        internal readonly float* Key, Value, ValueTransposed;              // Value only forward, ValueTransposed only backward, Key where it is asked for
        internal readonly RelativeRow Relative;                            // without meaning where there are no relative scores
        private readonly float* _queryBias, _keyTransposed, _factor;

        internal Part(PackedAttention attention, Inputs inputs, int row, int head, bool backward)
        {
            (_attention, _inputs, _row, _head) = (attention, inputs, row, head);
            var sequences = attention._sequences;
            int size = attention._headSize, column = head * size;
            (Queries, FirstQuery) = (attention.Queries(row), attention.FirstQuery(row));
            (FirstToken, Length, FirstKey) = (sequences.Offsets[row], sequences.Length(row), sequences.FirstKey(row));
            _hasHiddenKeys = sequences.HasHiddenKeys(row);
            Keys = Length - FirstKey;
            Padded = WholeVectors(Keys);
            var relative = attention._view.Relative;
            var met = relative?.Met(sequences.Span(row)) ?? default;
            var scratch = Scratch.OfThisThread((2L * Padded + 2L * Keys + QueryBlock + 1) * size + 2L * QueryBlock * Padded + Dropout.Room(Keys) +
                (relative is null ? 0 : RelativeRow.Room(met, Keys)));
            Query = scratch.Floats(QueryBlock * size);
            _keyTransposed = scratch.Floats(Padded * size);
            Probability = scratch.Floats(QueryBlock * Padded);
            _factor = scratch.Floats(Dropout.Room(Keys));
            var none = scratch.Floats(size);
            new Span<float>(none, size).Clear();
            float* keyBias = inputs.KeyBias == 0 ? none : (float*)inputs.KeyBias + column, valueBias = inputs.ValueBias == 0 ? none : (float*)inputs.ValueBias + column;
            _queryBias = inputs.QueryBias == 0 ? none : (float*)inputs.QueryBias + column;
            GatherTransposed(inputs.Key, keyBias, column, _keyTransposed, size);
            if (backward || relative?.Queries is not null)
            {
                Key = scratch.Floats(Keys * size);
                for (var j = 0; j < Keys; j++) Vectors.Sum(inputs.Key.At(FirstToken + FirstKey + j, column), keyBias, Key + j * size, size);
            }
            if (relative is not null && Queries > 0) Relative = new RelativeRow(this, relative, met, scratch, backward);
            if (!backward)
            {
                Value = scratch.Floats(Keys * size);
                for (var j = 0; j < Keys; j++) Vectors.Sum(inputs.Value.At(FirstToken + FirstKey + j, column), valueBias, Value + j * size, size);
                return;
            }
            Gradient = scratch.Floats(QueryBlock * Padded);
            ValueTransposed = scratch.Floats(Padded * size);
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

        internal int Head => _head;

        internal int HeadSize => _attention._headSize;

        internal TransposedPositions Positions => _attention._positions!;

        internal float Scale => _attention._scale;

        /// <summary>Of all tokens.</summary>
        internal int[] Columns => _attention._sequences.Columns;

        /// <summary>Column of a query in its row.</summary>
        internal int Column(int query) => _attention._sequences.Columns[Token(query)];

        private int Token(int query) => FirstToken + _attention.IndexInRow(FirstQuery, query);

        /// <summary>The keys that at least one query of a block may look at.</summary>
        internal SeenKeys Seen(int first, int count)
        {
            if (_attention._view.Window is not { } window || _hasHiddenKeys) return new(0, Keys, Padded);
            var from = Before(Column(first) - window) / Vector<float>.Count * Vector<float>.Count;
            var keys = Before(Column(first + count - 1) + window + 1) - from;
            return new(from, keys, WholeVectors(keys));
        }

        /// <summary>Number of keys that lie before a column.</summary>
        private int Before(int column)
        {
            var at = _attention._sequences.Columns.AsSpan(FirstToken + FirstKey, Keys).BinarySearch(column);
            return at < 0 ? ~at : at;
        }

        /// <summary>Fills <see cref="Query"/> with the block's queries and <see cref="Probability"/> with their scaled scores.</summary>
        internal void Scores(int first, int count, SeenKeys seen)
        {
            int size = _attention._headSize, column = _head * size;
            for (var i = 0; i < count; i++)
                Vectors.Sum(_inputs.Query.At(FirstQuery + first + i, column), _queryBias, Query + i * size, size);
            SmallGemm.Multiply(count, seen.Padded, size, Query, size, 1, _keyTransposed + seen.First, Padded, Probability, seen.Padded, accumulate: false);
            if (_attention._view.Relative is not null) Relative.AddTo(this, first, count, seen);
            var scale = new Vector<float>(_attention._scale);
            for (var i = 0; i < count * seen.Padded; i += Vector<float>.Count) Vector.Store(Vector.Load(Probability + i) * scale, Probability + i);
            if (_attention._view.Window is null && !_hasHiddenKeys) return;
            for (var i = 0; i < count; i++) Hide(first + i, seen, Probability + i * seen.Padded);
        }

        /// <summary>Makes the scores of what a query does not see minus infinity; those of a query that sees nothing become alike.</summary>
        private void Hide(int query, SeenKeys seen, float* scores)
        {
            if (SeesNothing(query, seen)) new Span<float>(scores, seen.Keys).Clear();
            else
                for (var j = 0; j < seen.Keys; j++)
                    if (!Sees(query, seen.First + j)) scores[j] = float.NegativeInfinity;
        }

        /// <summary>Whether a query has no key, so that no score of it counts. In a row without hidden tokens it has at least itself.</summary>
        internal bool SeesNothing(int query, SeenKeys seen)
        {
            if (!_hasHiddenKeys) return false;
            for (var j = 0; j < seen.Keys; j++)
                if (Sees(query, seen.First + j)) return false;
            return true;
        }

        private bool Sees(int query, int key)
        {
            var token = FirstToken + FirstKey + key;
            if (_attention._view.Window is { } window && Math.Abs(_attention._sequences.Columns[token] - Column(query)) > window) return false;
            return !_hasHiddenKeys || !IsHidden(token) && !(_attention._view.HiddenSeeNothing && IsHidden(Token(query)));
        }

        private bool IsHidden(int token) => _attention._sequences.Hidden![token];

        /// <summary>The factors of dropout of a query's probabilities.</summary>
        internal float* DropoutFactors(int query, SeenKeys seen)
        {
            _attention._dropout.Factors(_factor, Keys, _attention._sequences.FirstRowNumber + _row, _attention.IndexInRow(FirstQuery, query), _head);
            return _factor + seen.First;
        }
    }
}
