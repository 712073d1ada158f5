namespace Attune.Tokenization;

/// <summary>The normalizer Replace, for a fixed text or for a character that is repeated.</summary>
/// <param name="pattern">What is replaced.</param>
/// <param name="least">0 for the pattern itself; else runs of at least so many of it, which is then one character.</param>
/// <param name="content">What stands there then.</param>
internal sealed class Replace(string pattern, int least, string content) : Normalizer
{
    internal override bool Leaves(ReadOnlySpan<char> text) => Next(text, 0).Length == 0;

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        for (var i = 0; i < text.Length;)
        {
            var (start, length) = Next(text, i);
            if (length == 0) start = text.Length;
            while (i < start) writer.Put(BertNormalizer.CodeAt(text, ref i), 0);
            if (length == 0) return;
            var taken = 0;
            for (var end = start + length; i < end; taken++) BertNormalizer.CodeAt(text, ref i);
            writer.Skip(taken);
            for (var k = 0; k < content.Length;) writer.Put(BertNormalizer.CodeAt(content, ref k), 1);
        }
    }

    private (int Start, int Length) Next(ReadOnlySpan<char> text, int from)
    {
        for (; from < text.Length; from++)
        {
            var found = text[from..].IndexOf(pattern, StringComparison.Ordinal);
            if (found < 0) break;
            from += found;
            if (least == 0) return (from, pattern.Length);
            var end = from + 1;
            while (end < text.Length && text[end] == pattern[0]) end++;
            if (end - from >= least) return (from, end - from);
            from = end - 1;
        }
        return (text.Length, 0);
    }
}
