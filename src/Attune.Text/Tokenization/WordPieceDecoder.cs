using System.Text;

namespace Attune.Tokenization;

/// <summary>Tokens back to text. Behaviour of tokenizers/src/decoders/wordpiece.rs.</summary>
internal static class WordPieceDecoder
{
    private static readonly (string From, string To)[] Artifacts =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    /// <summary>Joins the tokens; continuations go to the token before, everything else gets a space in front.</summary>
    internal static string Decode(IEnumerable<string> tokens, string prefix, bool cleanUp)
    {
        var text = new StringBuilder();
        var first = true;
        foreach (var token in tokens)
        {
            var piece = first ? token
                : token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..]
                : " " + token;
            text.Append(cleanUp ? Clean(piece) : piece);
            first = false;
        }
        return text.ToString();
    }

    /// <summary>What transformers does to a whole text for <c>clean_up_tokenization_spaces</c>.</summary>
    internal static string CleanUp(string text)
    {
        foreach (var (from, to) in Artifacts)
            if (from != " do not") text = text.Replace(from, to, StringComparison.Ordinal);
        return text;
    }

    private static string Clean(string piece)
    {
        if (!piece.Contains(' ', StringComparison.Ordinal)) return piece;
        foreach (var (from, to) in Artifacts) piece = piece.Replace(from, to, StringComparison.Ordinal);
        return piece;
    }
}
