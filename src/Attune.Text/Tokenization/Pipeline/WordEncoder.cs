namespace Attune.Tokenization;

/// <summary>A pre-tokenizer with its model: cuts normalized text into words, and those into tokens.</summary>
internal abstract class WordEncoder
{
    /// <summary>Whether it can do without places.</summary>
    internal virtual bool ReadsRaw => false;

    /// <summary>Appends the tokens of a stretch of text.</summary>
    /// <param name="text">The characters, normalized.</param>
    /// <param name="places">The text that they are a part of, and knows where they stand; null where places are not wanted, which only happens to one that <see cref="ReadsRaw"/>.</param>
    /// <param name="from">Where in it they begin.</param>
    /// <param name="limit">Stop after the word that brings the tokens to this number.</param>
    /// <param name="scratch">This thread's buffers; its tokens are appended to.</param>
    /// <returns>Whether the limit was reached.</returns>
    internal abstract bool Encode(ReadOnlySpan<char> text, NormalizedText? places, int from, int limit, Scratch scratch);
}
