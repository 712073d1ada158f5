using Attune.Tokenization;
using CsCheck;

namespace Attune.Tests.Tokenization;

/// <summary>Long texts as windows: nothing is lost, everything is where it stands, and one text and many give the same.</summary>
public sealed class WindowTests
{
    private static readonly BertTokenizer Tokenizer = TestVocabulary.Uncased;

    private static readonly string[] Words = ["the", "film", "was", "unaffable", "Café,", "a", "日本", "of", "-", "!"];

    private static readonly Gen<string> Texts = Gen.Int[0, Words.Length - 1].Array[0, 40].Select(words => string.Join(' ', words.Select(word => Words[word])));

    [Fact]
    public void EncodeWindows_SingleText_CoversEveryTokenAndSharesTheStride() => Gen.Select(Texts, Gen.Int[5, 20], Gen.Int[0, 2]).Sample((text, length, stride) =>
    {
        var whole = Tokenizer.Encode(text);
        var bare = whole.Ids.Skip(1).SkipLast(1).ToArray();
        var windows = Tokenizer.EncodeWindows(text, null, length, stride);
        var (at, room) = (0, length - 2);
        foreach (var (i, window) in windows.Index())
        {
            Assert.Equal((Tokenizer.ClsId, Tokenizer.SepId), (window.Ids[0], window.Ids[^1]));
            Assert.True(window.Length <= length);
            var count = window.Length - 2;
            if (i < windows.Count - 1) Assert.Equal(room, count);
            Assert.Equal(bare.Skip(at).Take(count), window.Ids.Skip(1).Take(count));
            Assert.Equal(whole.Offsets.Skip(1 + at).Take(count), window.Offsets.Skip(1).Take(count));
            if (i == windows.Count - 1) Assert.Equal(bare.Length, at + count);
            at += room - stride;
        }
    });

    [Fact]
    public void EncodeWindows_Pair_CutsTheLongerAndRepeatsTheOther() => Gen.Select(Texts, Texts, Gen.Int[12, 30], Gen.Int[0, 3]).Sample((first, second, length, stride) =>
    {
        int[] Bare(string text) => [.. Tokenizer.Encode(text).Ids.Skip(1).SkipLast(1)];
        var (a, b, room) = (Bare(first), Bare(second), length - 3);
        var windows = Tokenizer.EncodeWindows(first, second, length, stride);
        var cutsSecond = b.Length > a.Length;
        var (longer, kept) = cutsSecond ? (b, a) : (a, b);
        if (a.Length + b.Length > room) kept = [.. kept.Take(room / 2)];
        var covered = new HashSet<int>();
        foreach (var window in windows)
        {
            Assert.True(window.Length <= length);
            int[] Of(int text) => [.. window.Ids.Where((_, i) => window.SequenceIds[i] == text)];
            Assert.Equal(kept, Of(cutsSecond ? 0 : 1));
            Assert.Equal(window.SequenceIds.Select((text, i) => text < 0 ? window.TypeIds[i] : text), window.TypeIds);
            foreach (var (i, place) in window.Offsets.Index())
                if (window.SequenceIds[i] == (cutsSecond ? 1 : 0)) covered.Add(place.Start);
        }
        var places = Tokenizer.Encode(cutsSecond ? second : first).Offsets.Skip(1).SkipLast(1).Select(place => place.Start).ToHashSet();
        Assert.Equal(places, covered);
        Assert.Equal(longer.Length + kept.Length <= room ? 1 : windows.Count, windows.Count);
    });

    [Fact]
    public void EncodePackedWindows_ManyTexts_AreTheSameRowsAsOneByOne() => Gen.Select(Texts.Array[1, 8], Gen.Bool, Gen.Int[12, 24]).Sample((texts, arePairs, length) =>
    {
        string[]? pairs = arePairs ? [.. texts.Reverse()] : null;
        var (rows, starts) = Tokenizer.EncodePackedWindows(texts, pairs, length, stride: 2);
        Assert.Equal(texts.Length + 1, starts.Length);
        for (var text = 0; text < texts.Length; text++)
        {
            var windows = Tokenizer.EncodeWindows(texts[text], pairs?[text], length, stride: 2);
            Assert.Equal(windows.Count, starts[text + 1] - starts[text]);
            foreach (var (i, window) in windows.Index())
            {
                var row = starts[text] + i;
                Assert.Equal(window.Ids, rows.Row(row).ToArray());
                if (arePairs) Assert.Equal(window.TypeIds, rows.TypeIds![rows.Offsets[row]..rows.Offsets[row + 1]]);
            }
        }
    });

    /// <summary>Where the other text leaves room, a pair's rows are those of only_first: the first row is what truncation gives.</summary>
    [Fact]
    public void EncodeWindows_FirstRow_IsWhatOnlyFirstGives()
    {
        var text = string.Join(' ', Enumerable.Repeat("the film was unaffable", 20));
        var options = new EncodeOptions { MaxLength = 24, Truncation = TruncationStrategy.OnlyFirst };
        Assert.Equal(Tokenizer.Encode(text, "a film", options).Ids, Tokenizer.EncodeWindows(text, "a film", 24, 4)[0].Ids);
        Assert.Equal(Tokenizer.Encode(text, options).Ids, Tokenizer.EncodeWindows(text, null, 24, 4)[0].Ids);
    }

    [Theory]
    [InlineData(null, 8, "window_stride is 8, but a window has room for only 8 tokens; choose a number from 0 to below that, or a greater max_length.")]
    [InlineData(null, -1, "window_stride is -1, but a window has room for only 8 tokens")]
    [InlineData("b", 4, "window_stride is 4, but beside the other text of a pair a window may have room for only 4 tokens")]
    public void EncodeWindows_StrideThatLeavesNoProgress_IsRefused(string? pair, int stride, string message) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => Tokenizer.EncodeWindows("a", pair, 10, stride)).Message, StringComparison.Ordinal);
}
