namespace Attune.Models;

/// <summary>The buckets of relative positions, as the models that have them count: a distance is the query's column minus the key's.</summary>
internal static class RelativeBuckets
{
    /// <summary>The buckets of all distances from -reach to reach.</summary>
    internal static int[] Table(int reach, Func<int, int> bucketOf) => [.. Enumerable.Range(-reach, 2 * reach + 1).Select(bucketOf)];

    /// <summary>
    /// Each sign has half of the buckets, keys behind the query the second; near distances have one each and far ones by their logarithm up to 128 columns
    /// (Raffel et al., 2020, section 2.1, as transformers' MPNet computes it in float32).
    /// </summary>
    internal static int MPNet(int distance)
    {
        const int half = MPNetConfig.Buckets / 2, exact = half / 2;
        var (far, sign) = (Math.Abs(distance), distance < 0 ? half : 0);
        if (far < exact) return sign + far;
        var step = MathF.Log((float)far / exact) / (float)Math.Log(128.0 / exact) * (half - exact);
        return sign + Math.Min(exact + (int)step, half - 1);
    }

    /// <summary>
    /// The embedding of a distance in DeBERTa-v2: the distance itself up to half the number of buckets, further ones by their logarithm; its middle
    /// is distance 0.
    /// </summary>
    /// <param name="distance">The distance.</param>
    /// <param name="buckets"><c>position_buckets</c>; 0 or less for none: one embedding for each distance.</param>
    /// <param name="most">The largest distance that is told from others.</param>
    internal static int DebertaV2(int distance, int buckets, int most)
    {
        if (buckets <= 0) return Math.Clamp(distance + most, 0, 2 * most - 1);
        var middle = buckets / 2;
        if (Math.Abs(distance) > middle)
        {
            var share = MathF.Log(Math.Abs(distance) / (float)middle) / MathF.Log((float)((most - 1) / (double)middle));
            distance = Math.Sign(distance) * ((int)MathF.Ceiling(share * (middle - 1)) + middle);
        }
        return Math.Clamp(distance + buckets, 0, 2 * buckets - 1);
    }
}
