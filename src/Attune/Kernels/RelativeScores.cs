namespace Attune.Kernels;

// Legend: P buckets of relative positions, N heads, D size of a head, H = N D.

/// <summary>
/// What relative positions add to the scores of an attention. With p the bucket of the distance, in columns, from key j to query i:
/// score(i,j) = (q(i) k(j) + q(i) k'(p) + q'(p) k(j)) scale + t(p), where each of the three is optional (He et al.: "DeBERTa", 2021, equation 4, for the
/// first two; Song et al.: "MPNet", 2020, and before it Raffel et al., 2020, for the third).
/// </summary>
/// <param name="bucketOf">The bucket of each distance from -reach to reach; 2 reach + 1 numbers below P.</param>
/// <param name="buckets">P.</param>
internal sealed class RelativeScores(int[] bucketOf, int buckets)
{
    /// <summary>P.</summary>
    internal int Buckets => buckets;

    /// <summary>k' with its bias, (P,H); null for none.</summary>
    internal PackedAttention.Matrix? Keys { get; init; }

    /// <summary>q' with its bias, (P,H); null for none.</summary>
    internal PackedAttention.Matrix? Queries { get; init; }

    /// <summary>t, (P,N); null for none.</summary>
    internal PackedAttention.Matrix? Table { get; init; }

    /// <summary>The bucket of a distance.</summary>
    internal int Of(int distance) => bucketOf[distance + bucketOf.Length / 2];

    /// <summary>The buckets that distances from -span to span have.</summary>
    internal Range Met(int span)
    {
        int first = buckets, last = 0;
        foreach (var bucket in bucketOf.AsSpan(bucketOf.Length / 2 - span, 2 * span + 1)) (first, last) = (Math.Min(first, bucket), Math.Max(last, bucket));
        return new(first, last - first + 1, span);
    }

    /// <summary>Some buckets that follow each other, and the span that they were asked for.</summary>
    internal readonly record struct Range(int First, int Count, int Span);

    /// <summary>
    /// Where backward puts the gradients, of the same shapes. Keys and queries, which must be there where the scores have them, are overwritten; the table
    /// is added to, and null where it is not trained.
    /// </summary>
    internal readonly record struct Gradients(PackedAttention.Matrix? Keys, PackedAttention.Matrix? Queries, PackedAttention.Matrix? Table);
}
