using System.Runtime.InteropServices;
using Attune.Models;

namespace Attune.Onnx.Export;

// Legend: S tokens of a row.

/// <summary>The columns of a batch, and how far they are from each other.</summary>
internal sealed class TokenDistances(OnnxGraph graph, string ids)
{
    private string? _columns, _distances;

    /// <summary>0, 1, 2 and so on, (S). Counted up from ones.</summary>
    internal string Columns
    {
        get
        {
            if (_columns is not null) return _columns;
            var row = graph.Add("columns/Row", "Gather", [ids, graph.Number(0, OnnxType.Int64)], ("axis", 0L));
            var ones = graph.Add("columns/Ones", "Cast", [graph.Add("columns/Equal", "Equal", [row, row])], ("to", (long)OnnxType.Int64));
            var counted = graph.Add("columns/CumSum", "CumSum", [ones, graph.Number(0, OnnxType.Int64)]);
            return _columns = graph.Add("columns/Sub", "Sub", [counted, graph.Number(1, OnnxType.Int64)]);
        }
    }

    /// <summary>A query's column minus a key's, (S,S).</summary>
    internal string Distances => _distances ??= graph.Add("distances/Sub", "Sub",
        [graph.Add("distances/Queries", "Unsqueeze", [Columns], ("axes", new long[] { 1 })), graph.Add("distances/Keys", "Unsqueeze", [Columns], ("axes", new long[] { 0 }))]);

    /// <summary>Which tokens are at most so far from which, (S,S).</summary>
    internal string Within(int window) =>
        graph.Add("window/Less", "Less", [graph.Add("window/Abs", "Abs", [Distances]), graph.Number(window + 1, OnnxType.Int64)]);

    /// <summary>The bucket of each distance, (S,S).</summary>
    /// <param name="longest">Tokens of the longest row.</param>
    /// <param name="bucketOf">Of a distance.</param>
    internal string Buckets(int longest, Func<int, int> bucketOf)
    {
        long[] buckets = [.. RelativeBuckets.Table(longest - 1, bucketOf).Select(bucket => (long)bucket)];
        var table = graph.Tensor("distances/buckets", OnnxType.Int64, [buckets.Length], stream => stream.Write(MemoryMarshal.AsBytes<long>(buckets)));
        return graph.Add("distances/Bucket", "Gather", [table, graph.Add("distances/Add", "Add", [Distances, graph.Number(longest - 1, OnnxType.Int64)])]);
    }
}
