namespace Attune.Batching;

/// <summary>A text or a pair as the model reads it: a view of tokens that may lie among those of many rows.</summary>
public readonly struct TokenizedRow
{
    private readonly ReadOnlyMemory<int> _inputIds;
    private readonly ReadOnlyMemory<int> _tokenTypeIds;

    /// <summary>Takes the tokens of one row.</summary>
    /// <param name="inputIds">Ids of its tokens, special tokens included.</param>
    /// <param name="tokenTypeIds">0 for the first text, 1 for the second; null where all are 0.</param>
    public TokenizedRow(int[] inputIds, int[]? tokenTypeIds = null)
        : this(inputIds.AsMemory(), tokenTypeIds.AsMemory())
    {
    }

    /// <summary>Views the tokens of one row, which stay where they are.</summary>
    /// <param name="inputIds">Ids of its tokens, special tokens included.</param>
    /// <param name="tokenTypeIds">0 for the first text, 1 for the second; empty where all are 0.</param>
    public TokenizedRow(ReadOnlyMemory<int> inputIds, ReadOnlyMemory<int> tokenTypeIds) => (_inputIds, _tokenTypeIds) = (inputIds, tokenTypeIds);

    /// <summary>Ids of its tokens, special tokens included.</summary>
    public ReadOnlySpan<int> InputIds => _inputIds.Span;

    /// <summary>0 for the first text, 1 for the second; empty where all are 0.</summary>
    public ReadOnlySpan<int> TokenTypeIds => _tokenTypeIds.Span;

    /// <summary>Number of tokens.</summary>
    public int Length => _inputIds.Length;

    /// <summary>Its first tokens.</summary>
    internal TokenizedRow First(int tokens) => new(_inputIds[..tokens], _tokenTypeIds.IsEmpty ? default : _tokenTypeIds[..tokens]);
}
