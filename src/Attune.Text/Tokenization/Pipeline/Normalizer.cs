namespace Attune.Tokenization;

/// <summary>One of the normalizers of tokenizer.json: characters become others, and keep the places that they come from.</summary>
internal abstract class Normalizer
{
    /// <summary>Whether it is quickly seen that a text stays as it is.</summary>
    internal virtual bool Leaves(ReadOnlySpan<char> text) => false;

    /// <summary>Normalizes a text.</summary>
    /// <param name="text">The text; its content is lost.</param>
    /// <param name="spare">A second buffer.</param>
    /// <returns>The one of the two that has the result.</returns>
    internal virtual NormalizedText Run(NormalizedText text, NormalizedText spare)
    {
        if (Leaves(text.Chars)) return text;
        spare.Clear();
        Apply(text.Chars, new AlignedWriter(text, spare));
        return spare;
    }

    /// <summary>A text normalized by itself.</summary>
    internal string Normal(string text)
    {
        var raw = new NormalizedText();
        raw.Append(text, 0);
        return Run(raw, new NormalizedText()).Chars.ToString();
    }

    /// <summary>Says, character by character, what becomes of a text.</summary>
    private protected abstract void Apply(ReadOnlySpan<char> text, AlignedWriter writer);
}

/// <summary>Several normalizers, one after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> normalizers) : Normalizer
{
    internal override bool Leaves(ReadOnlySpan<char> text)
    {
        foreach (var normalizer in normalizers)
            if (!normalizer.Leaves(text)) return false;
        return true;
    }

    internal override NormalizedText Run(NormalizedText text, NormalizedText spare)
    {
        foreach (var normalizer in normalizers)
            if (normalizer.Run(text, spare) != text) (text, spare) = (spare, text);
        return text;
    }

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer) => throw new NotSupportedException();
}
