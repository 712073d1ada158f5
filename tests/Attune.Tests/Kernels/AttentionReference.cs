using Attune.Kernels;

namespace Attune.Tests.Kernels;

// Legend: T tokens, N heads, D size of a head, H = N D, P buckets.

/// <summary>Attention with relative scores, windows and hidden tokens, written out in double precision, and its gradients by differences.</summary>
internal sealed class AttentionReference(Sequences sequences, int heads, int headSize)
{
    private const double Step = 1e-5;

    internal int? Window { get; init; }

    internal int ExtraTerms { get; init; }

    internal bool HiddenSeeNothing { get; init; }

    /// <summary>The tokens that ask, ascending.</summary>
    internal int[] Asking { get; init; } = [.. Enumerable.Range(0, sequences.Tokens)];

    internal Func<int, int>? BucketOf { get; init; }

    private int Hidden => heads * headSize;

    /// <summary>Inputs by name: query, key, value (T,H); k and q (P,H); table (P,N); those that are absent add nothing.</summary>
    internal double[] Context(Dictionary<string, double[]> inputs)
    {
        List<double> context = [];
        foreach (var query in Asking)
            for (var head = 0; head < heads; head++)
                context.AddRange(Context(inputs, RowOf(query), query, head));
        return [.. context];
    }

    /// <summary>The gradients, by central differences, of the sum of context times weights.</summary>
    internal Dictionary<string, float[]> Gradients(Dictionary<string, double[]> inputs, float[] weights) => inputs.ToDictionary(pair => pair.Key, pair =>
    {
        var (gradient, isOfTokens, width) = (new float[pair.Value.Length], pair.Value.Length == sequences.Tokens * Hidden, pair.Key == "table" ? heads : Hidden);
        for (var i = 0; i < gradient.Length; i++)
        {
            // Only this head, and of a token's vectors only its row.
            var (head, was) = (i % width * heads / width, pair.Value[i]);
            int? row = isOfTokens ? RowOf(i / Hidden) : null;
            pair.Value[i] = was + Step;
            var above = Sum(row, head);
            pair.Value[i] = was - Step;
            gradient[i] = (float)((above - Sum(row, head)) / (2 * Step));
            pair.Value[i] = was;
        }
        return gradient;

        double Sum(int? only, int head)
        {
            var sum = 0.0;
            for (var line = 0; line < Asking.Length; line++)
            {
                var row = RowOf(Asking[line]);
                if (only is not null && only != row) continue;
                var context = Context(inputs, row, Asking[line], head);
                for (var d = 0; d < headSize; d++) sum += context[d] * weights[line * Hidden + head * headSize + d];
            }
            return sum;
        }
    });

    private int RowOf(int token) => Array.FindLastIndex(sequences.Offsets, offset => offset <= token);

    private double[] Context(Dictionary<string, double[]> inputs, int row, int query, int head)
    {
        int from = sequences.Offsets[row] + sequences.FirstKey(row), to = sequences.Offsets[row + 1];
        var (scores, most, sum) = (new double[to - from], double.NegativeInfinity, 0.0);
        for (var key = from; key < to; key++)
        {
            var distance = sequences.Columns[query] - sequences.Columns[key];
            var isSeen = Math.Abs(distance) <= (Window ?? int.MaxValue) && !IsHidden(key) && !(HiddenSeeNothing && IsHidden(query));
            scores[key - from] = isSeen ? Score(inputs, query, key, head, distance) : double.NegativeInfinity;
            most = Math.Max(most, scores[key - from]);
        }
        if (double.IsNegativeInfinity(most)) (scores, most) = (new double[to - from], 0);
        var context = new double[headSize];
        for (var key = from; key < to; key++)
        {
            var share = Math.Exp(scores[key - from] - most);
            sum += share;
            for (var d = 0; d < headSize; d++) context[d] += share * At(inputs["value"], key, head, d);
        }
        for (var d = 0; d < headSize; d++) context[d] /= sum;
        return context;
    }

    private double Score(Dictionary<string, double[]> inputs, int query, int key, int head, int distance)
    {
        var score = Dot(inputs["query"], query, inputs["key"], key, head);
        var bucket = BucketOf?.Invoke(distance) ?? 0;
        if (inputs.TryGetValue("k", out var keys)) score += Dot(inputs["query"], query, keys, bucket, head);
        if (inputs.TryGetValue("q", out var queries)) score += Dot(queries, bucket, inputs["key"], key, head);
        score /= Math.Sqrt(headSize * (1.0 + ExtraTerms));
        return inputs.TryGetValue("table", out var table) ? score + table[bucket * heads + head] : score;
    }

    private bool IsHidden(int token) => sequences.Hidden?[token] == true;

    private double At(double[] matrix, int line, int head, int d) => matrix[line * Hidden + head * headSize + d];

    private double Dot(double[] left, int leftLine, double[] right, int rightLine, int head)
    {
        var sum = 0.0;
        for (var d = 0; d < headSize; d++) sum += At(left, leftLine, head, d) * At(right, rightLine, head, d);
        return sum;
    }
}
