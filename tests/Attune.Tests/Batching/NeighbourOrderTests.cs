using Attune.Batching;
using CsCheck;

namespace Attune.Tests.Batching;

/// <summary>Rows in pairs that follow each other in a text.</summary>
public sealed class NeighbourOrderTests
{
    [Fact]
    public void Epoch_AnyTexts_HasEveryRowOnceAndAllPairsThatFit() => Gen.Select(Gen.Int[1, 9].Array[1, 60], Gen.Int[0, 1000], Gen.Int[0, 5]).Sample((lengths, seed, epoch) =>
    {
        int[] starts = [0, .. Sums(lengths)];
        var order = NeighbourOrder.Epoch(starts, seed, epoch);
        Assert.Equal(Enumerable.Range(0, starts[^1]), order.Order());
        Assert.Equal(order, NeighbourOrder.Epoch(starts, seed, epoch));
        // At most one row at each end of a text is left over.
        var paired = new HashSet<int>();
        for (var i = 0; i + 1 < order.Length; i += 2)
            if (order[i + 1] == order[i] + 1 && Text(order[i]) == Text(order[i + 1])) paired.UnionWith([order[i], order[i + 1]]);
        for (var row = 0; row < starts[^1]; row++)
            if (!paired.Contains(row)) Assert.True(row == starts[Text(row)] || row == starts[Text(row) + 1] - 1, $"row {row} has no neighbour");

        int Text(int row) => Array.FindLastIndex(starts, start => start <= row);
    });

    [Fact]
    public void Epoch_OverSeveral_PairsARowWithBothNeighbours()
    {
        int[] starts = [0, .. Sums([.. Enumerable.Repeat(5, 40)])];
        var partners = new HashSet<(int, int)>();
        for (var epoch = 0; epoch < 12; epoch++)
            foreach (var pair in NeighbourOrder.Epoch(starts, 3, epoch).Chunk(2))
                if (pair[1] == pair[0] + 1) partners.Add((pair[0], pair[1]));
        for (var text = 0; text < 40; text++)
            for (var row = starts[text]; row + 1 < starts[text + 1]; row++) Assert.Contains((row, row + 1), partners);
    }

    private static IEnumerable<int> Sums(int[] lengths)
    {
        var sum = 0;
        foreach (var length in lengths) yield return sum += length;
    }
}
