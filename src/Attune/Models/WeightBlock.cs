using Attune.Formats;

namespace Attune.Models;

/// <summary>Weights that lie one after the other, in the model's own buffer or in a copy of that part of it.</summary>
/// <param name="Weights">At least one, in the order of the buffer.</param>
/// <param name="Address">Of the first one's first element.</param>
internal sealed record WeightBlock(IReadOnlyList<Weight> Weights, nint Address)
{
    /// <summary>Number of elements.</summary>
    internal long Count { get; } = Weights.Sum(weight => weight.NumberOfElements);

    /// <summary>Cuts weights, given in the order of the buffer, where others lie between them.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="buffer">Address of the flat buffer of all values.</param>
    internal static IReadOnlyList<WeightBlock> Of(IEnumerable<Weight> weights, nint buffer)
    {
        List<List<Weight>> groups = [];
        foreach (var weight in weights)
        {
            if (groups is [.., [.., var last]] && last.Offset + last.NumberOfElements == weight.Offset) groups[^1].Add(weight);
            else groups.Add([weight]);
        }
        return [.. groups.Select(group => new WeightBlock(group, buffer + (nint)group[0].Offset * sizeof(float)))];
    }

    /// <summary>The same weights at another address.</summary>
    internal WeightBlock At(nint address) => this with { Address = address };

    /// <summary>The weights as they go into a file, by the names that they have there.</summary>
    internal IEnumerable<TensorToWrite> Tensors(Func<Weight, string> name) => Weights.Select(weight =>
        TensorToWrite.At(name(weight), WeightType.F32, weight.Shape, Address + (nint)(weight.Offset - Weights[0].Offset) * sizeof(float)));
}
