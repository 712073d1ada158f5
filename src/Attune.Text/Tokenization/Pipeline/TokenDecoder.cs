using System.Text;

namespace Attune.Tokenization;

/// <summary>Tokens back to text: the decoders of tokenizer.json.</summary>
internal static class TokenDecoder
{
    /// <summary>ByteLevel: the bytes that the tokens write, as UTF-8.</summary>
    internal static string ByteLevel(IEnumerable<string> tokens)
    {
        using var bytes = new MemoryStream();
        foreach (var token in tokens) bytes.Write(ByteAlphabet.Bytes(token) ?? System.Text.Encoding.UTF8.GetBytes(token));
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>Metaspace: marks become spaces, but for those of the first token where one was put in front.</summary>
    internal static string Metaspace(IEnumerable<string> tokens, char mark, bool hasPrefix)
    {
        var text = new StringBuilder();
        foreach (var (i, token) in tokens.Index())
            foreach (var c in token)
                if (c != mark) text.Append(c);
                else if (i > 0 || !hasPrefix) text.Append(' ');
        return text.ToString();
    }

    /// <summary>No decoder: the tokens with spaces between them.</summary>
    internal static string Plain(IEnumerable<string> tokens) => string.Join(' ', tokens);
}
