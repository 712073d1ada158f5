namespace Attune.Tokenization;

/// <summary>The windows of many texts as rows without padding, those of a text together.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="TextStarts">The windows of text i are the rows TextStarts[i] up to TextStarts[i + 1]; one number more than there are texts.</param>
public sealed record PackedWindows(PackedEncodings Rows, int[] TextStarts);
