using Attune.Kernels;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L tokens that are wanted, R rows.

/// <summary>Some tokens of a batch on a device, whose states alone are wanted of a layer: the others are attended to, but ask nothing.</summary>
internal sealed class DeviceQueries
{
    private const string TokensName = "chosen tokens", OffsetsName = "offsets of chosen tokens";

    private readonly bool _isOneEach, _isSomeInEach;

    private DeviceQueries(Tensor tokens, Tensor offsets, int longest, bool isOneEach, bool isSomeInEach) =>
        (Tokens, Offsets, Longest, _isOneEach, _isSomeInEach) = (tokens, offsets, longest, isOneEach, isSomeInEach);

    /// <summary>Places among all tokens, L.</summary>
    internal Tensor Tokens { get; }

    /// <summary>Of each row the first of its chosen tokens among all chosen ones, and L at the end.</summary>
    internal Tensor Offsets { get; }

    /// <summary>Most of a row.</summary>
    internal int Longest { get; }

    /// <summary>Each row's first token.</summary>
    internal static DeviceQueries FirstTokens(DeviceBatch batch) => new(batch.FirstTokens, batch.OneEach, 1, isOneEach: true, isSomeInEach: true);

    /// <summary>The numbers of chosen tokens, for the batch to take along.</summary>
    internal static (string, int[])[] Numbers(ChosenTokens chosen) => [(TokensName, chosen.Tokens), (OffsetsName, chosen.Offsets)];

    /// <summary>Chosen tokens.</summary>
    /// <param name="batch">Made with their <see cref="Numbers"/>.</param>
    /// <param name="chosen">The tokens.</param>
    internal static DeviceQueries Of(DeviceBatch batch, ChosenTokens chosen)
    {
        var counts = Enumerable.Range(0, batch.Rows).Select(row => chosen.Offsets[row + 1] - chosen.Offsets[row]).ToList();
        return new(batch[TokensName], batch[OffsetsName], counts.Max(), isOneEach: false, isSomeInEach: counts.Min() > 0);
    }

    /// <summary>Whether attention can be computed for these alone: over padded rows where each has one, over packed ones where each has some.</summary>
    internal bool CanAskAlone(bool isPacked) => isPacked ? _isSomeInEach : _isOneEach;
}
