using System.Collections.Frozen;

namespace Attune.Inspection;

/// <summary>Tells languages that are written in Latin letters apart by their most frequent words. A guess: good for shares of many rows, not for one row.</summary>
internal static class Languages
{
    internal static readonly string[] Names = ["English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Swedish", "Polish", "Turkish"];

    // Words that nearly every text has: articles, prepositions, pronouns, conjunctions. A word that several languages have counts for each; those that English has
    // in another sense are left out of the others, for there is much English.
    private static readonly string[] Words =
    [
        "the of and to is was with that this for are you not but have it be on my at in as by an or from a i no do he she we they his her will can all so more out up what who",
        "der die das und ist nicht ein eine mit ich auf den dem zu es von für auch sich wie im bei aber in",
        "le la les des est une et pas dans pour que qui je au du sur avec ce il en un de ne sont mais par",
        "el la los las que una es en un por con del para se su como pero más muy está lo de al y",
        "il la che di non è un una per sono con del della gli lo si ma le anche nel da e questo",
        "o os que não uma um de com para em da na é se por mais mas muito seu está foi",
        "de het een en van ik niet is dat die in op te zijn met voor er maar aan ook als bij wat heb deze",
        "och att det som en är på inte jag med för av den till ett om har de var så han kan från vi",
        "w nie się na z jest że jak ale po co tak o za od ten już tego dla czy był bardzo",
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
