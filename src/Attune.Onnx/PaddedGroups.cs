using Attune.Batching;

namespace Attune.Onnx;

/// <summary>Rows put together by like lengths: a runtime computes padding like any other token.</summary>
internal static class PaddedGroups
{
    private const double MostPadding = 1.2;                                // tokens computed for one real token
    private const int Cheap = 64;                                          // tokens of padding that cost less than another call

    /// <summary>Groups of numbers of rows, shortest rows first; each group is as large as padding allows.</summary>
    internal static IEnumerable<int[]> Of(IReadOnlyList<TokenizedRow> rows)
    {
        var order = Enumerable.Range(0, rows.Count).OrderBy(row => rows[row].Length).ToArray();
        for (int start = 0, end; start < order.Length; start = end)
        {
            long real = 0;
            for (end = start; end < order.Length; end++)
            {
                var longest = rows[order[end]].Length;
                real += longest;
                if ((long)longest * (end - start + 1) > real * MostPadding + Cheap) break;
            }
            yield return order[start..end];
        }
    }
}
