using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: B buckets, R rows, N heads, S columns of the padded rows, Q of them that ask, D size of a head.

/// <summary>MPNet's relative positions on a device, which all layers share: what <see cref="MPNetBias"/> gives to the processor's attention.</summary>
/// <param name="parts">The weights by their names.</param>
/// <param name="name">Of the table, (B,N).</param>
internal sealed class DeviceRelativeBias(DeviceParts parts, string name) : DeviceRelative
{
    internal override Tensor Scores(Tensor query, Tensor key, DeviceSight sight, DevicePass pass)
    {
        var all = pass.Batch.Once(this, () => sight.Hide(OfDistances(pass.Batch).unsqueeze(0)));                       // (R,N,S,S)
        return all.narrow(2, 0, query.shape[2]);
    }

    /// <summary>(N,S,S).</summary>
    private Tensor OfDistances(DeviceBatch batch)
    {
        var table = parts[name + ".weight"];
        var buckets = LibTorch.Sent(tensor(RelativeBuckets.Table(batch.Columns - 1, RelativeBuckets.MPNet)), table.device);
        return ByDistance(Operators.Embedding(table, buckets, -1).t(), batch.Columns);
    }
}
