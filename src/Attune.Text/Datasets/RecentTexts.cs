namespace Attune.Datasets;

/// <summary>Gives for a short text the same object as it came before, mostly: a column of labels has few texts, each read once for every row.</summary>
internal sealed class RecentTexts
{
    private const int LongestText = 32, Slots = 256;
    private readonly string?[] _texts = new string?[Slots];

    internal string Of(string text)
    {
        if (text.Length is 0 or > LongestText) return text;
        ref var known = ref _texts[(text.Length * 31 + text[0] * 17 + text[^1] * 7 + text[text.Length / 2]) & (Slots - 1)];
        return known == text ? known : known = text;
    }
}
