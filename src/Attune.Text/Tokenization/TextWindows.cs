namespace Attune.Tokenization;

/// <summary>Where the windows of a long text lie among its tokens: each as long as a row has room for, each overlapping the one before.</summary>
/// <remarks>
/// Of a pair the longer text is cut into windows, the first of two of one length; the other one stands in every window, whole up to half of the
/// room and cut there. So rows are what tokenizers gives with only_first or only_second and return_overflowing_tokens.
/// </remarks>
/// <param name="Kept">How many tokens of the text that is not cut into windows stay; 0 where there is none.</param>
/// <param name="CutsSecond">Whether it is the second text that is cut into windows.</param>
/// <param name="Pieces">Where the windows of the other one begin, and how many tokens they have; at least one.</param>
internal readonly record struct TextWindows(int Kept, bool CutsSecond, IReadOnlyList<(int From, int Count)> Pieces)
{
    /// <summary>The windows of a text or a pair.</summary>
    /// <param name="first">Tokens of the first text.</param>
    /// <param name="second">Tokens of the second text; null for a single text.</param>
    /// <param name="room">Tokens that a row has room for, special tokens not counted.</param>
    /// <param name="stride">Tokens that a window shares with the one before.</param>
    /// <exception cref="AttuneException">The windows would not get on, because they overlap by their whole length.</exception>
    internal static TextWindows Of(int first, int? second, int room, int stride)
    {
        var cutsSecond = second > first;
        var (longer, shorter) = cutsSecond ? (second!.Value, first) : (first, second ?? 0);
        var fits = longer + shorter <= room;
        var kept = fits ? shorter : Math.Min(shorter, room / 2);
        var size = room - kept;
        if (stride < 0 || stride >= room - (second is null ? 0 : room / 2))
            throw new AttuneException(
                $"window_stride is {stride}, but {(second is null ? "a window has" : "beside the other text of a pair a window may have")} room for only " +
                $"{room - (second is null ? 0 : room / 2)} tokens; choose a number from 0 to below that, or a greater max_length.");
        var pieces = new List<(int, int)>();
        for (var from = 0; ; from += size - stride)
        {
            pieces.Add((from, Math.Min(size, longer - from)));
            if (from + size >= longer) return new TextWindows(kept, cutsSecond, pieces);
        }
    }

    /// <summary>Of a window: where it begins in the first text, and how many tokens it has there.</summary>
    internal (int From, int Count) First(int window) => CutsSecond ? (0, Kept) : Pieces[window];

    /// <summary>The same of the second text.</summary>
    internal (int From, int Count) Second(int window) => CutsSecond ? Pieces[window] : (0, Kept);
}
