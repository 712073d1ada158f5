namespace Attune.Inspection;

/// <summary>Writing systems, as far as they are told apart. None: no letter.</summary>
internal enum Script : byte
{
    None, Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, Devanagari, Bengali, Gurmukhi, Gujarati, Tamil, Telugu, Kannada, Malayalam, Sinhala,
    Thai, Lao, Tibetan, Myanmar, Georgian, Ethiopic, Khmer, Hangul, Kana, Han, Other,
}

/// <summary>The script of a letter.</summary>
internal static class Scripts
{
    internal const int Count = (int)Script.Other + 1;

    // Blocks of Unicode's Blocks.txt; what lies between them is no letter, or of no script named here.
    private static readonly (char First, char Last, Script Script)[] Blocks =
    [
        ('A', 'Z', Script.Latin), ('a', 'z', Script.Latin), ('\u00AA', '\u00AA', Script.Latin), ('\u00BA', '\u00BA', Script.Latin),
        ('\u00C0', '\u00D6', Script.Latin), ('\u00D8', '\u00F6', Script.Latin), ('\u00F8', '\u02AF', Script.Latin),
        ('\u0370', '\u03FF', Script.Greek), ('\u0400', '\u052F', Script.Cyrillic), ('\u0531', '\u058F', Script.Armenian),
        ('\u05D0', '\u05F4', Script.Hebrew), ('\u0620', '\u064A', Script.Arabic), ('\u066E', '\u06D3', Script.Arabic), ('\u06FA', '\u06FF', Script.Arabic),
        ('\u0750', '\u077F', Script.Arabic), ('\u08A0', '\u08FF', Script.Arabic),
        ('\u0900', '\u0963', Script.Devanagari), ('\u0971', '\u097F', Script.Devanagari), ('\u0980', '\u09E5', Script.Bengali), ('\u0A00', '\u0A65', Script.Gurmukhi),
        ('\u0A80', '\u0AE5', Script.Gujarati), ('\u0B80', '\u0BE5', Script.Tamil), ('\u0C00', '\u0C65', Script.Telugu), ('\u0C80', '\u0CE5', Script.Kannada),
        ('\u0D00', '\u0D65', Script.Malayalam), ('\u0D80', '\u0DF4', Script.Sinhala), ('\u0E01', '\u0E4E', Script.Thai), ('\u0E80', '\u0EDF', Script.Lao),
        ('\u0F00', '\u0F1F', Script.Tibetan), ('\u0F40', '\u0FBC', Script.Tibetan), ('\u1000', '\u103F', Script.Myanmar), ('\u10A0', '\u10FF', Script.Georgian),
        ('\u1100', '\u11FF', Script.Hangul), ('\u1200', '\u137F', Script.Ethiopic), ('\u1780', '\u17DF', Script.Khmer), ('\u1E00', '\u1EFF', Script.Latin),
        ('\u1F00', '\u1FFF', Script.Greek), ('\u3005', '\u3007', Script.Han), ('\u3041', '\u30FF', Script.Kana), ('\u3130', '\u318F', Script.Hangul),
        ('\u31F0', '\u31FF', Script.Kana), ('\u3400', '\u4DBF', Script.Han), ('\u4E00', '\u9FFF', Script.Han), ('\uAC00', '\uD7AF', Script.Hangul),
        ('\uF900', '\uFAFF', Script.Han), ('\uFB00', '\uFB06', Script.Latin), ('\uFB1D', '\uFB4F', Script.Hebrew), ('\uFB50', '\uFDFF', Script.Arabic),
        ('\uFE70', '\uFEFC', Script.Arabic), ('\uFF21', '\uFF3A', Script.Latin), ('\uFF41', '\uFF5A', Script.Latin), ('\uFF66', '\uFF9D', Script.Kana),
    ];

    private static readonly byte[] Table = Fill();

    /// <summary>The script of a letter; None of what is none.</summary>
    internal static Script Of(char letter) => (Script)Table[letter];

    /// <summary>Whether words of the script have no spaces between them.</summary>
    internal static bool HasNoSpaces(Script script) => script is Script.Han or Script.Kana or Script.Thai or Script.Lao or Script.Khmer or Script.Myanmar or Script.Tibetan;

    private static byte[] Fill()
    {
        var table = new byte[char.MaxValue + 1];
        for (var letter = 0x80; letter < table.Length; letter++)
            if (char.IsLetter((char)letter)) table[letter] = (byte)Script.Other;
        foreach (var (first, last, script) in Blocks) table.AsSpan(first..(last + 1)).Fill((byte)script);
        return table;
    }
}
