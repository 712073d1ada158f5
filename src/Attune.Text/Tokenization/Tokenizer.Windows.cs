namespace Attune.Tokenization;

public abstract partial class Tokenizer
{
    private static readonly EncodeOptions Bare = new() { AddSpecialTokens = false };

    /// <summary>
    /// Encodes a text, or a pair, whole: as rows of at most <paramref name="maxLength"/> tokens that overlap, as transformers does with
    /// <c>return_overflowing_tokens</c> and <c>stride</c>. Places are those in the whole text.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="pair">The second text, or null. Of a pair the longer one is cut into windows; the other stands in each, up to half of the room.</param>
    /// <param name="maxLength">Tokens of a row, special ones included. Default: the tokenizer's <see cref="ModelMaxLength"/>; unlimited where that is null.</param>
    /// <param name="stride">Tokens that a window shares with the one before. Default 0.</param>
    /// <returns>At least one row.</returns>
    /// <exception cref="AttuneException">There is no room, or the windows overlap by their whole length.</exception>
    public IReadOnlyList<Encoding> EncodeWindows(string text, string? pair = null, int? maxLength = null, int stride = 0)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (first, second) = Tokenize(text, pair, Bare, withOffsets: true, Scratch.Current);
        var windows = Windows(first, pair is null ? null : second, maxLength, stride);
        return [.. Enumerable.Range(0, windows.Pieces.Count).Select(i => Encoded(text, pair, windows.First(i), windows.Second(i), addSpecialTokens: true))];
    }

    /// <summary>Encodes many texts or pairs as windows into rows of ids without padding, on all cores unless told otherwise.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="pairs">The second text of each, or null.</param>
    /// <param name="maxLength">As in <see cref="EncodeWindows"/>.</param>
    /// <param name="stride">As in <see cref="EncodeWindows"/>.</param>
    /// <param name="maxDegreeOfParallelism">As in <see cref="EncodeOptions.MaxDegreeOfParallelism"/>.</param>
    /// <inheritdoc cref="EncodeWindows" path="/exception"/>
    public PackedWindows EncodePackedWindows(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs = null, int? maxLength = null, int stride = 0, int? maxDegreeOfParallelism = null)
    {
        CheckBatch(texts, pairs);
        var bare = Bare with { MaxDegreeOfParallelism = maxDegreeOfParallelism };
        var first = EncodePacked(texts, null, bare);
        var second = pairs is null ? null : EncodePacked(pairs, null, bare);
        var windows = new TextWindows[texts.Count];
        var starts = new int[texts.Count + 1];
        for (var text = 0; text < texts.Count; text++)
        {
            windows[text] = Windows(first.Row(text).Length, second?.Row(text).Length, maxLength, stride);
            starts[text + 1] = checked(starts[text] + windows[text].Pieces.Count);
        }
        return new PackedWindows(Packed(first, second, windows, starts), starts);
    }

    private TextWindows Windows(int first, int? second, int? maxLength, int stride)
    {
        var added = second is null ? _template.SingleAdded : _template.PairAdded;
        return TextWindows.Of(first, second, Room(maxLength ?? ModelMaxLength ?? int.MaxValue, added), stride);
    }

    /// <summary>Puts the special tokens round the windows, one row after the other.</summary>
    private PackedEncodings Packed(PackedEncodings first, PackedEncodings? second, TextWindows[] windows, int[] starts)
    {
        var template = second is null ? _template.Single : _template.Pair;
        var offsets = new int[starts[^1] + 1];
        var ids = new List<int>(first.Ids.Length + (second?.Ids.Length ?? 0) + 4 * offsets.Length);
        var types = second is null ? null : new List<int>(ids.Capacity);
        var row = 0;
        for (var text = 0; text < windows.Length; text++)
            for (var window = 0; window < windows[text].Pieces.Count; window++)
            {
                foreach (var part in template)
                {
                    ReadOnlySpan<int> tokens = part.Sequence < 0 ? part.Ids : part.Sequence == 0
                        ? Slice(first.Row(text), windows[text].First(window)) : Slice(second!.Row(text), windows[text].Second(window));
                    ids.AddRange(tokens);
                    for (var i = 0; i < tokens.Length && types is not null; i++) types.Add(part.TypeId);
                }
                offsets[++row] = ids.Count;
            }
        return new PackedEncodings([.. ids], types is null ? null : [.. types], offsets);

        static ReadOnlySpan<int> Slice(ReadOnlySpan<int> tokens, (int From, int Count) part) => tokens.Slice(part.From, part.Count);
    }
}
