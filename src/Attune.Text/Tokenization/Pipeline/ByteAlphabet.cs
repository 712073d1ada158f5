namespace Attune.Tokenization;

/// <summary>How byte-level vocabularies write bytes: as the character itself where Latin-1 shows one, else as the next of U+0100 and up.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Chars = new char[256];
    private static readonly Dictionary<char, byte> BytesOf = [];

    static ByteAlphabet()
    {
        var next = '\u0100';
        for (var b = 0; b < 256; b++)
        {
            Chars[b] = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)b : next++;
            BytesOf[Chars[b]] = (byte)b;
        }
    }

    /// <summary>What a space is written as.</summary>
    internal static char Space => Chars[' '];

    internal static char CharOf(byte value) => Chars[value];

    /// <summary>The bytes of a token; null where it is not written so.</summary>
    internal static byte[]? Bytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
            if (!BytesOf.TryGetValue(token[i], out bytes[i])) return null;
        return bytes;
    }
}
