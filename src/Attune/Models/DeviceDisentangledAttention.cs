using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: P relative positions that a batch meets, H hidden size, R rows, N heads, S columns of the padded rows, Q of them that ask, D = H / N.

/// <summary>What relative positions add to a layer's attention in DeBERTa-v2 and v3, on a device: as <see cref="DisentangledAttention"/> on the processor.</summary>
internal sealed class DeviceDisentangledAttention : DeviceRelative
{
    private readonly DeviceParts parts;
    private readonly DebertaV2Config config;
    private readonly string layer, positions;

    private DeviceDisentangledAttention(DeviceParts parts, string layer, string positions, DebertaV2Config config) =>
        (this.parts, this.layer, this.positions, this.config) = (parts, layer, positions, config);

    /// <summary>What a layer's attention looks at.</summary>
    /// <param name="parts">The weights by their names.</param>
    /// <param name="layer">Name of the layer.</param>
    /// <param name="positions">Name of what has the embeddings of positions, as <see cref="DebertaV2Positions"/> has it.</param>
    /// <param name="config">Of the model.</param>
    internal static DeviceView ViewOf(DeviceParts parts, string layer, string positions, DebertaV2Config config) => new()
    {
        ExtraTerms = config.ExtraTerms,
        HiddenSeeNothing = true,
        Relative = config.RelativeAttention && config.ExtraTerms > 0 ? new DeviceDisentangledAttention(parts, layer, positions, config) : null,
    };

    internal override Tensor Scores(Tensor query, Tensor key, DeviceSight sight, DevicePass pass)
    {
        int columns = pass.Batch.Columns, first = config.BucketOf(1 - columns), count = config.BucketOf(columns - 1) - first + 1;
        var bucketOf = pass.Batch.Once(nameof(RelativeBuckets), () => Buckets(columns, first, key.device));            // (S,S)
        var lines = Lines(first, count, pass);
        Tensor? scores = null;
        if (config.HasKeysOfPositions)
            scores = query.matmul(Projected(lines, pass, config.ShareAttKey ? DebertaV2Config.Layer.Key : "attention.self.pos_key_proj")).gather(-1, Each(query, query.shape[2], columns, bucketOf));
        if (config.HasQueriesOfPositions)
        {
            var ofKeys = key.matmul(Projected(lines, pass, config.ShareAttKey ? DebertaV2Config.Layer.Query : "attention.self.pos_query_proj"));                              // (R,N,S,P)
            var found = ofKeys.gather(-1, Each(key, columns, query.shape[2], bucketOf.t())).transpose(2, 3);
            scores = scores is null ? found : scores + found;
        }
        return sight.Hide(scores! * (1 / Math.Sqrt(query.shape[3] * (1.0 + config.ExtraTerms))));
    }

    /// <summary>The embeddings that a batch meets, (P,H).</summary>
    private Tensor Lines(int first, int count, DevicePass pass)
    {
        var lines = parts[positions + ".rel_embeddings.weight"].narrow(0, first, count);
        if (config.NormalisesPositions) lines = parts.Norm(lines, positions + ".LayerNorm", config.LayerNormEps);
        return pass.Drop(lines, config.HiddenDropoutProb).to(pass.Type);
    }

    /// <summary>(P,H) -> (N,D,P).</summary>
    private Tensor Projected(Tensor lines, DevicePass pass, string projection) =>
        parts.Linear(lines, pass, pass.Type, $"{layer}.{projection}").unflatten(1, config.NumAttentionHeads, -1).permute(1, 2, 0);

    private Tensor Buckets(int columns, int first, Device device)
    {
        var all = RelativeBuckets.Table(columns - 1, distance => config.BucketOf(distance) - first);
        return ByDistance(LibTorch.Sent(tensor(Array.ConvertAll(all, bucket => (long)bucket)), device), columns);
    }

    /// <summary>Some of the buckets for each row and head, without memory for each.</summary>
    private static Tensor Each(Tensor like, long lines, long columns, Tensor buckets) => buckets.narrow(0, 0, lines).narrow(1, 0, columns).expand(like.shape[0], like.shape[1], lines, columns);
}
