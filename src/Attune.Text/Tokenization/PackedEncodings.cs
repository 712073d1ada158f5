namespace Attune.Tokenization;

/// <summary>Many rows of tokens one after the other, without padding.</summary>
/// <param name="Ids">Ids of all rows.</param>
/// <param name="TypeIds">For pairs: 0 or 1 per token; null for single texts, whose types are all 0.</param>
/// <param name="Offsets">Row i is at Offsets[i] up to Offsets[i + 1]; one number more than there are rows.</param>
public sealed record PackedEncodings(int[] Ids, int[]? TypeIds, int[] Offsets)
{
    /// <summary>Number of rows.</summary>
    public int Count => Offsets.Length - 1;

    /// <summary>The ids of one row.</summary>
    public ReadOnlySpan<int> Row(int index) => Ids.AsSpan(Offsets[index], Offsets[index + 1] - Offsets[index]);
}
