using System.Text;

namespace Attune.Inspection;

/// <summary>What is counted of a text, without its tokens.</summary>
internal struct RowScan
{
    private const int LeastWords = 2;                                       // of a language, for a row to count for it

    /// <summary>Words: what stands between white space; letters of scripts without spaces one each.</summary>
    internal int Words { get; private set; }

    /// <summary>The script of most letters.</summary>
    internal Script Script { get; private set; }

    /// <summary>Number of the language, -1 where it cannot be told.</summary>
    internal int Language { get; private set; }

    /// <summary>Counts one text.</summary>
    internal static RowScan Of(ReadOnlySpan<char> text)
    {
        var scan = new RowScan { Language = -1 };
        Span<int> languages = stackalloc int[Languages.Names.Length];
        languages.Clear();
        if (Ascii.IsValid(text)) scan.CountAscii(text, languages);
        else scan.Count(text, languages);
        if (scan.Script == Script.Latin) scan.Language = Winner(languages);
        return scan;
    }

    private void CountAscii(ReadOnlySpan<char> text, Span<int> languages)
    {
        var hasLetter = false;
        for (var i = 0; i < text.Length;)
        {
            while (i < text.Length && IsAsciiSpace(text[i])) i++;
            var start = i;
            while (i < text.Length && !IsAsciiSpace(text[i])) i++;
            if (i == start) break;
            Words++;
            var word = text[start..i];
            hasLetter = hasLetter || word.ContainsAnyInRange('A', 'Z') || word.ContainsAnyInRange('a', 'z');
            Add(Languages.Of(Bare(word)), languages);
        }
        Script = hasLetter ? Script.Latin : Script.None;
    }

    private void Count(ReadOnlySpan<char> text, Span<int> languages)
    {
        Span<int> letters = stackalloc int[Scripts.Count];
        letters.Clear();
        for (var i = 0; i < text.Length;)
        {
            while (i < text.Length && char.IsWhiteSpace(text[i])) i++;
            var start = i;
            var unspaced = 0;
            for (; i < text.Length && !char.IsWhiteSpace(text[i]); i++)
            {
                // Han beyond the basic plane is written in two: the low halves count for nothing.
                var script = char.IsHighSurrogate(text[i]) && text[i] is >= '\uD840' and <= '\uD888' ? Script.Han : Scripts.Of(text[i]);
                letters[(int)script]++;
                if (Scripts.HasNoSpaces(script)) unspaced++;
            }
            if (i == start) break;
            Words += Math.Max(1, unspaced);
            if (unspaced == 0) Add(Languages.Of(Bare(text[start..i])), languages);
        }
        letters[(int)Script.None] = 0;
        for (var script = 0; script < letters.Length; script++)
            if (letters[script] > letters[(int)Script]) Script = (Script)script;
    }

    private static bool IsAsciiSpace(char letter) => letter is ' ' or (>= '\t' and <= '\r') or (>= '\u001C' and <= '\u001F');

    private static ReadOnlySpan<char> Bare(ReadOnlySpan<char> word) => word.Trim(".,;:!?\"'()[]");

    private static void Add(int known, Span<int> languages)
    {
        for (var left = known; left != 0; left &= left - 1) languages[int.TrailingZeroCount(left)]++;
    }

    private static int Winner(ReadOnlySpan<int> languages)
    {
        var (best, isAlone) = (-1, false);
        for (var i = 0; i < languages.Length; i++)
        {
            var most = best < 0 ? LeastWords - 1 : languages[best];
            if (languages[i] > most) (best, isAlone) = (i, true);
            else if (best >= 0 && languages[i] == most) isAlone = false;
        }
        return isAlone ? best : -1;
    }
}
