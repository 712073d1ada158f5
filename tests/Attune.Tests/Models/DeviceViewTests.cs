using Attune.Batching;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>Which attentions may go over packed rows, where a device has a kernel for that: a window is laid there by the tokens' numbers, and not by their columns.</summary>
public sealed class DeviceViewTests
{
    private static readonly Batch Plain = Batch.Pack([new TokenizedRow([2, 7, 3]), new TokenizedRow([2, 3])]);
    private static readonly Batch WithHole = Batch.FromPadded([[2, 7, 0, 3], [2, 3, 0, 0]], [[1, 1, 0, 1], [1, 1, 0, 0]]);

    [Fact]
    public void TakesPacked_Window_WhereNoColumnIsLeftOut()
    {
        var view = new DeviceView { Window = 2 };
        Assert.True(view.TakesPacked(Plain.Sequences));
        Assert.False(view.TakesPacked(WithHole.Sequences));
        Assert.True(default(DeviceView).TakesPacked(WithHole.Sequences));
    }

    [Fact]
    public void TakesPacked_TermsOfRelativePositions_Never() => Assert.False(new DeviceView { ExtraTerms = 1 }.TakesPacked(Plain.Sequences));
}
