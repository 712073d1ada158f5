using System.Collections.Frozen;

namespace Attune.Inspection;

/// <summary>Tells languages that are written in Latin letters apart by their most frequent words. A guess: good for shares of many rows, not for one row.</summary>
internal static class Languages
{
    internal static readonly string[] Names = ["English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Swedish", "Polish", "Turkish"];

    // Words that nearly every text has: articles, prepositions, pronouns, conjunctions. A word that several languages have counts for each.
    private static readonly string[] Words =
    [
        "the of and to is was with that this for are you not but have it be on my at in as by an or from",
        "der die das und ist nicht ein eine mit ich auf den dem zu es von für auch sich wie war im bei aber in an",
        "le la les des est une et pas dans pour que qui je au du sur avec ce il en un de ne sont mais par",
        "el la los las que una es en un por con del para no se su como pero más muy está lo de al y",
        "il la che di non è un una per sono con del della gli lo si ma le anche come nel da i e questo",
        "o a os as que não uma um de com para em do da no na é se por mais mas muito seu está foi",
        "de het een en van ik niet is dat die in op te zijn met voor er maar aan ook als bij wat heb deze",
        "och att det som en är på inte jag med för av den till ett om har de var men så han kan från vi",
        "i w nie się na z jest to że do jak ale po co tak o za od ten już tego dla czy był bardzo",
        "bir ve bu çok da de için ile ne ama daha gibi var olarak kadar ben en mi o sonra olan değil şey",
    ];

    private static readonly FrozenDictionary<string, int> Known = Sets();
    private static readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> BySpan = Known.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly int Longest = Known.Keys.Max(word => word.Length);

    /// <summary>The languages that have a word, one bit each.</summary>
    internal static int Of(ReadOnlySpan<char> word) => word.Length <= Longest && BySpan.TryGetValue(word, out var languages) ? languages : 0;

    private static FrozenDictionary<string, int> Sets()
    {
        var sets = new Dictionary<string, int>();
        foreach (var (language, words) in Words.Index())
            foreach (var word in words.Split(' ')) sets[word] = sets.GetValueOrDefault(word) | 1 << language;
        return sets.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }
}
