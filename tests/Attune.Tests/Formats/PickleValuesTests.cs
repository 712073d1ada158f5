using Attune.Formats;

namespace Attune.Tests.Formats;

public sealed class PickleValuesTests
{
    [Fact]
    public void KeyComparer_NumbersWithEqualHalves_HashApart()
    {
        // The runtime's hash is the exclusive or of the halves: 0 for all of these.
        var keys = Enumerable.Range(1, 20_000).Select(i => (object)((long)i << 32 | (uint)i)).ToList();
        Assert.Single(keys.Select(key => key.GetHashCode()).Distinct());
        Assert.InRange(keys.Select(KeyComparer.Instance.GetHashCode).Distinct().Count(), 19_900, 20_000);
    }

    [Fact]
    public void TryAdd_KeyTwice_IsRefusedByValue()
    {
        var dict = new PickleDict(isOrdered: false);
        Assert.True(dict.TryAdd(1L << 40, "a"));
        Assert.True(dict.TryAdd("b", "b"));
        Assert.False(dict.TryAdd(1L << 40, "c"));
        Assert.False(dict.TryAdd(new string('b', 1), "c"));
        Assert.Equal("a", dict[1L << 40]);
    }
}
