namespace Attune.Batching;

/// <summary>A text or a pair as the model reads it.</summary>
/// <param name="InputIds">Ids of its tokens, special tokens included.</param>
/// <param name="TokenTypeIds">0 for the first text, 1 for the second; null where all are 0.</param>
public sealed record TokenizedRow(int[] InputIds, int[]? TokenTypeIds = null)
{
    /// <summary>Number of tokens.</summary>
    public int Length => InputIds.Length;
}
