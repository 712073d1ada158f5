using System.Numerics;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Kernels;

// Legend: B buckets that the row meets, W = B in whole vectors, K keys of the row, D size of a head.

internal sealed unsafe partial class PackedAttention
{
    /// <summary>
    /// The relative scores of one row and head: products with the buckets that the row meets, out of which each pair of tokens takes its own. Tokens next to each
    /// other meet about half of them with the whole row, and only those are computed for them.
    /// </summary>
    private readonly ref struct RelativeRow
    {
        private const int KeyBlock = QueryBlock;

        private readonly RelativeScores _scores;
        private readonly RelativeScores.Range _met;
        private readonly int[] _columns;
        private readonly int _firstKey, _keys, _head, _size, _width, _firstQueryColumn, _lastQueryColumn;
        private readonly float _inverseScale;
        private readonly float* _positionKeys;                             // (D,W) with another step, k'
        private readonly int _positionStep;
        private readonly float* _byKey, _byKeyGradient;                    // (K,W), q' k(j)
        private readonly float* _byQuery;                                  // (queries of a block, W), q(i) k' + t / scale, or its gradient
        private readonly int* _bucketOf, _index;                           // of each distance from span down to -span; of each key as seen from a query

        /// <param name="part">What is known of it: all but this.</param>
        /// <param name="scores">Of all rows.</param>
        /// <param name="met">The buckets that it meets.</param>
        /// <param name="scratch">With <see cref="Room"/> left.</param>
        /// <param name="backward">Whether gradients are gathered.</param>
        internal RelativeRow(scoped in Part part, RelativeScores scores, RelativeScores.Range met, Scratch scratch, bool backward)
        {
            (_scores, _met, _columns, _inverseScale) = (scores, met, part.Columns, 1 / part.Scale);
            (_firstKey, _keys, _head, _size) = (part.FirstToken + part.FirstKey, part.Keys, part.Head, part.HeadSize);
            (_firstQueryColumn, _lastQueryColumn) = (part.Column(0), part.Column(part.Queries - 1));
            _width = WholeVectors(met.Count);
            _bucketOf = (int*)scratch.Floats(2 * met.Span + 1);
            for (var i = 0; i <= 2 * met.Span; i++) _bucketOf[i] = scores.Of(met.Span - i) - met.First;
            _index = (int*)scratch.Floats(_keys);
            _byQuery = scratch.Floats((long)QueryBlock * _width);
            _positionStep = part.Positions.Step;
            if (scores.Keys is not null) _positionKeys = part.Positions.Keys(_head * _size) + met.First;
            if (scores.Queries is null) return;
            _byKey = scratch.Floats((long)_keys * _width);
            if (backward)
            {
                _byKeyGradient = scratch.Floats((long)_keys * _width);
                new Span<float>(_byKeyGradient, _keys * _width).Clear();
            }
            var positionQueries = part.Positions.Queries(_head * _size) + met.First;
            for (var first = 0; first < _keys; first += KeyBlock)
            {
                var (count, met1) = (Math.Min(KeyBlock, _keys - first), MetByKeys(first));
                SmallGemm.Multiply(count, met1.Padded, _size, part.Key + first * _size, _size, 1, positionQueries + met1.First, _positionStep,
                    _byKey + (long)first * _width + met1.First, _width, accumulate: false);
            }
        }

        /// <summary>Floats of working memory.</summary>
        internal static long Room(RelativeScores.Range met, int keys) =>
            2L * met.Span + 1 + keys + (QueryBlock + 2L * keys) * WholeVectors(met.Count);

        /// <summary>Adds to a block's scores, before they are scaled.</summary>
        internal void AddTo(scoped in Part part, int first, int count, SeenKeys seen)
        {
            var met = MetByQueries(part, first, count, seen);
            if (_scores.Keys is not null)
                SmallGemm.Multiply(count, met.Padded, _size, part.Query, _size, 1, _positionKeys + met.First, _positionStep, _byQuery + met.First, _width, accumulate: false);
            else new Span<float>(_byQuery, count * _width).Clear();
            for (var i = 0; i < count; i++)
            {
                float* scores = part.Probability + i * seen.Padded, line = _byQuery + i * _width;
                if (_scores.Table is { } table)
                    for (var p = 0; p < _met.Count; p++) line[p] += *table.At(_met.First + p, _head) * _inverseScale;
                var index = Index(part.Column(first + i), seen);
                if (_byKey is null)
                {
                    for (var j = 0; j < seen.Keys; j++) scores[j] += line[index[j]];
                    continue;
                }
                var byKey = _byKey + (long)seen.First * _width;
                for (var j = 0; j < seen.Keys; j++, byKey += _width) scores[j] += line[index[j]] + byKey[index[j]];
            }
        }

        /// <summary>Takes a block's gradients of the scores on to its queries, and to the sums of keys and table.</summary>
        /// <param name="part">Its Gradient holds them, scaled.</param>
        /// <param name="first">First query of the block.</param>
        /// <param name="count">Number of its queries.</param>
        /// <param name="seen">The keys it sees.</param>
        /// <param name="query">Gradient of its queries, added to.</param>
        /// <param name="step">From one query to the next.</param>
        /// <param name="sums">Added to.</param>
        internal void Backward(scoped in Part part, int first, int count, SeenKeys seen, float* query, int step, RelativeScores.Gradients sums)
        {
            new Span<float>(_byQuery, count * _width).Clear();
            for (var i = 0; i < count; i++)
            {
                float* gradients = part.Gradient + i * seen.Padded, line = _byQuery + i * _width;
                var index = Index(part.Column(first + i), seen);
                for (var j = 0; j < seen.Keys; j++) line[index[j]] += gradients[j];
                if (_byKey is null) continue;
                var byKey = _byKeyGradient + (long)seen.First * _width;
                for (var j = 0; j < seen.Keys; j++, byKey += _width) byKey[index[j]] += gradients[j];
            }
            if (sums.Table is { } table)
                for (var i = 0; i < count; i++)
                    for (var p = 0; p < _met.Count; p++) *table.At(_met.First + p, _head) += _byQuery[i * _width + p] * _inverseScale;
            if (_scores.Keys is not { } keys || sums.Keys is not { } keySums) return;
            var (met, column) = (MetByQueries(part, first, count, seen), _head * _size);
            SmallGemm.Multiply(count, _size, met.Count, _byQuery + met.First, _width, 1, keys.At(_met.First + met.First, column), keys.Step, query, step, accumulate: true);
            SmallGemm.Multiply(met.Count, _size, count, _byQuery + met.First, 1, _width, part.Query, _size, keySums.At(_met.First + met.First, column), keySums.Step, accumulate: true);
        }

        /// <summary>After all blocks: takes the gradients on to the keys, and to the sums of queries.</summary>
        internal void EndBackward(scoped in Part part, float* key, int step, RelativeScores.Gradients sums)
        {
            if (_scores.Queries is not { } queries || sums.Queries is not { } querySums) return;
            var column = _head * _size;
            for (var first = 0; first < _keys; first += KeyBlock)
            {
                var (count, met) = (Math.Min(KeyBlock, _keys - first), MetByKeys(first));
                var gradient = _byKeyGradient + (long)first * _width + met.First;
                SmallGemm.Multiply(count, _size, met.Count, gradient, _width, 1, queries.At(_met.First + met.First, column), queries.Step,
                    key + (long)first * step, step, accumulate: true);
                SmallGemm.Multiply(met.Count, _size, count, gradient, 1, _width, part.Key + first * _size, _size,
                    querySums.At(_met.First + met.First, column), querySums.Step, accumulate: true);
            }
        }

        /// <summary>The buckets that a block of queries meets with the keys it sees.</summary>
        private MetBuckets MetByQueries(scoped in Part part, int first, int count, SeenKeys seen)
        {
            var keys = _columns.AsSpan(_firstKey + seen.First, seen.Keys);
            return Met(part.Column(first) - keys[^1], part.Column(first + count - 1) - keys[0]);
        }

        /// <summary>The buckets that a block of keys meets with all queries.</summary>
        private MetBuckets MetByKeys(int first)
        {
            var keys = _columns.AsSpan(_firstKey + first, Math.Min(KeyBlock, _keys - first));
            return Met(_firstQueryColumn - keys[^1], _lastQueryColumn - keys[0]);
        }

        /// <summary>The buckets of some distances, from the row's first on, which is that of a whole vector here.</summary>
        private MetBuckets Met(int least, int most)
        {
            int first = int.MaxValue, last = 0;
            for (var distance = least; distance <= most; distance++)
            {
                var bucket = _bucketOf[_met.Span - distance];
                (first, last) = (Math.Min(first, bucket), Math.Max(last, bucket));
            }
            first = first / Vector<float>.Count * Vector<float>.Count;
            return new(first, last - first + 1, WholeVectors(last - first + 1));
        }

        private readonly record struct MetBuckets(int First, int Count, int Padded);

        /// <summary>The bucket, from the first that is met on, of each key as seen from a query.</summary>
        private int* Index(int column, SeenKeys seen)
        {
            var columns = _columns.AsSpan(_firstKey + seen.First, seen.Keys);
            var first = _bucketOf + (_met.Span - column);                  // of the key in column 0
            if (columns[^1] - columns[0] == seen.Keys - 1) return first + columns[0];
            for (var j = 0; j < columns.Length; j++) _index[j] = first[columns[j]];
            return _index;
        }
    }

    /// <summary>The gradients of relative scores, summed over groups of rows each on its own and then together: the result does not depend on the threads.</summary>
    private sealed class RelativeSums : IDisposable
    {
        private const int MostGroups = 4;                                  // each is as large as all buckets' keys and queries

        private readonly RelativeScores.Gradients _result;
        private readonly Tensor? _keys, _queries, _table;                  // (groups, P, H) twice, (groups, P, N)
        private readonly int _buckets, _hidden, _heads, _rows;

        internal RelativeSums(RelativeScores scores, RelativeScores.Gradients result, int heads, int headSize, int rows)
        {
            (_result, _buckets, _hidden, _heads, _rows) = (result, scores.Buckets, heads * headSize, heads, rows);
            Groups = Math.Min(MostGroups, rows);
            if (result.Keys is not null) _keys = Zeros(_hidden);
            if (result.Queries is not null) _queries = Zeros(_hidden);
            if (result.Table is not null) _table = Zeros(_heads);
        }

        internal int Groups { get; }

        /// <summary>First row of a group, and the one after its last.</summary>
        internal (int From, int To) Rows(int group) => ((int)((long)_rows * group / Groups), (int)((long)_rows * (group + 1) / Groups));

        /// <summary>Where a group's rows add.</summary>
        internal RelativeScores.Gradients Of(int group) => new(At(_keys, _hidden, group), At(_queries, _hidden, group), At(_table, _heads, group));

        internal void AddUp()
        {
            AddUp(_keys, _hidden, _result.Keys, clear: true);
            AddUp(_queries, _hidden, _result.Queries, clear: true);
            AddUp(_table, _heads, _result.Table, clear: false);
        }

        public void Dispose()
        {
            _keys?.Dispose();
            _queries?.Dispose();
            _table?.Dispose();
        }

        private void AddUp(Tensor? sums, int width, Matrix? result, bool clear)
        {
            if (sums is null || result is not { } to) return;
            for (var line = 0; line < _buckets; line++)
            {
                if (clear) new Span<float>(to.At(line, 0), width).Clear();
                for (var group = 0; group < Groups; group++) Vectors.Add(to.At(line, 0), At(sums, width, group)!.Value.At(line, 0), width);
            }
        }

        private Tensor Zeros(int width)
        {
            var zeros = LibTorch.Empty(Groups, _buckets, width);
            LibTorch.Span(zeros).Clear();
            return zeros;
        }

        private Matrix? At(Tensor? sums, int width, int group) =>
            sums is null ? null : new Matrix(LibTorch.Floats(sums) + (long)group * _buckets * width, width);
    }
}
