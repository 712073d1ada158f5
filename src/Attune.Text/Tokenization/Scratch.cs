namespace Attune.Tokenization;

/// <summary>What one thread needs while it tokenizes; kept, so that a text costs no allocation.</summary>
internal sealed class Scratch
{
    [ThreadStatic]
    private static Scratch? _current;

    /// <summary>The tokens of the sequence in work.</summary>
    internal TokenBuffer Tokens { get; private set; } = new();

    /// <summary>The tokens of the first sequence of a pair while the second is in work.</summary>
    internal TokenBuffer First { get; private set; } = new();

    internal NormalizedText Normalized { get; } = new();

    internal NormalizedText Spare => field ??= new NormalizedText();

    internal NormalizedText Words => field ??= new NormalizedText();

    internal MarkQueue Marks => field ??= new MarkQueue();

    internal static Scratch Current => _current ??= new Scratch();

    internal void Swap() => (Tokens, First) = (First, Tokens);
}
