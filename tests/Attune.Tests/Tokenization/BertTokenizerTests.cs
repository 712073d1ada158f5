using Attune.Tokenization;
using CsCheck;

namespace Attune.Tests.Tokenization;

public sealed class BertTokenizerTests
{
    // Letters, marks, ideographs, emoji, controls, special tokens and lone surrogates: what may meet in a text.
    private static readonly Gen<string> AnyText = Gen.Select(Gen.OneOf(
        Gen.Char.AlphaNumeric.Select(c => c.ToString()),
        OneOf(" ", "\n", "\t", ".", "'", "-", "[SEP]", "[MASK]", "the", "unhappiness", "é", "\u0301", "\u0344", "中", "한", "ß", "İ"),
        Gen.Char.Select(c => c.ToString()),
        Gen.Int[0x10000, 0x10FFFF].Select(char.ConvertFromUtf32)).Array[0, 40], parts => string.Concat(parts));

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static readonly BertTokenizer[] All = [TestVocabulary.Uncased, TestVocabulary.Cased];

    [Theory, InlineData(2, "[UNK]"), InlineData(5, "hello")]
    public void Encode_WordLongerThanAllowed_IsUnknown(int allowed, string expected)
    {
        var tokenizer = BertTokenizer.FromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello"], new BertTokenizerOptions { MaxInputCharsPerWord = allowed });
        foreach (var text in (string[])["hello", "Hello", "h\u00e9llo"])
            Assert.Equal([expected], tokenizer.Encode(text, new EncodeOptions { AddSpecialTokens = false }).Tokens);
    }

    [Fact]
    public void Encode_AnyText_OffsetsAreOrderedPlacesInTheText() => AnyText.Sample(text =>
    {
        foreach (var tokenizer in All)
        {
            var encoding = tokenizer.Encode(text, new EncodeOptions { AddSpecialTokens = false });
            var before = 0;
            foreach (var (start, end) in encoding.Offsets)
            {
                Assert.InRange(start, before, end);
                Assert.InRange(end, start, text.Length);
                before = start;
            }
        }
    });

    [Fact]
    public void Encode_Words_OffsetsSliceTheTextIntoItsPieces() =>
        OneOf([.. TestVocabulary.Mini.Where(token => token.All(char.IsAsciiLetter))]).Array[1, 10].Sample(words =>
        {
            var text = string.Join(' ', words);
            var encoding = TestVocabulary.Uncased.Encode(text, new EncodeOptions { AddSpecialTokens = false });
            Assert.Equal(words, encoding.Offsets.Select(offset => text[offset.Start..offset.End]));
            Assert.Equal(words, encoding.Tokens);
        });

    // An added token that is looked for in the normalized text makes every text go the plain way: normalized as a whole, then cut.
    private static readonly (BertTokenizer Fast, BertTokenizer Plain)[] Ways = [.. new[] { true, false }.SelectMany(lower =>
        new BertTokenizerOptions[] { new(), new() { StripAccents = !lower }, new() { CleanText = false, TokenizeChineseChars = false }, new() { MaxInputCharsPerWord = 5 } }
            .Select(options => options with { DoLowerCase = lower })
            .Select(options => (BertTokenizer.FromVocabulary(Letters, options), BertTokenizer.FromVocabulary(Letters, options with
            {
                AddedTokens = [new AddedToken("\u2603\u2603\u2603") { Normalized = true }],
            }))))];

    private static IEnumerable<string> Letters => TestVocabulary.Mini.Concat(["ệ", "##ệ", "é", "##é", "ß", "##ß", "ж", "##ж", "Ж", "σ", "ς", "中", "한", "ᄒ", "##ᅡ", "e\u0301"]);

    // Words as people write them in other alphabets, beside what ends or changes them.
    private static readonly Gen<string> AnyWords = Gen.Select(Gen.OneOf(
        OneOf("the", "Unhappiness", "tiếng", "Việt", "Ærø", "straße", "ЖЖ", "Ελλάς", "é", "e\u0301", "\u0323", "ơ\u0323\u0302", "İ", "ı", "ﬁ", "中", "한국", "\u200d", "\0", "\ud800", "😀"),
        OneOf(" ", " ", ",", "\u3000", "—", "\u00a0", "\u00ad", "$"),
        Gen.Char[(char)0xC0, (char)0x24F].Select(c => c.ToString()), Gen.Char[(char)0x370, (char)0x5FF].Select(c => c.ToString()),
        Gen.Char[(char)0x1E00, (char)0x1FFF].Select(c => c.ToString()), AnyText).Array[0, 40], parts => string.Concat(parts));

    [Fact]
    public void Encode_AnyText_FastWayEqualsPlainWay() => AnyWords.Sample(text =>
    {
        foreach (var (fast, plain) in Ways) RequireEqual(fast, plain, text);
    });

    [Fact]
    public void Encode_EveryCharacterBetweenLetters_FastWayEqualsPlainWay()
    {
        foreach (var (fast, plain) in Ways)
            for (var c = 0; c <= char.MaxValue; c += 16)
                RequireEqual(fast, plain, string.Concat(Enumerable.Range(c, 16).Select(i => $"a{(char)i}b {(char)i}{(char)i} {(char)i}\u0301")));
    }

    private static void RequireEqual(BertTokenizer fast, BertTokenizer plain, string text)
    {
        var (one, other) = (fast.Encode(text), plain.Encode(text));
        Assert.Equal(other.Ids, one.Ids);
        Assert.Equal(other.Offsets, one.Offsets);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(null)]
    public void EncodePacked_RowsOfAllSizes_AreInOrderOnAnyNumberOfCores(int? threads)
    {
        var random = new Random(11);
        string[] texts = [.. Enumerable.Range(0, 1500).Select(i => string.Concat(Enumerable.Repeat("some text, ", i % 97 == 0 ? random.Next(9000) : random.Next(9))))];
        string[] pairs = [.. texts.Reverse()];
        var options = new EncodeOptions { MaxLength = 300, Truncation = TruncationStrategy.LongestFirst, MaxDegreeOfParallelism = threads };
        var packed = TestVocabulary.Uncased.EncodePacked(texts, pairs, options);
        for (var i = 0; i < texts.Length; i++)
        {
            var one = TestVocabulary.Uncased.Encode(texts[i], pairs[i], options);
            Assert.Equal(one.Ids, packed.Row(i).ToArray());
            Assert.Equal(one.TypeIds, packed.TypeIds![packed.Offsets[i]..packed.Offsets[i + 1]]);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => TestVocabulary.Uncased.EncodePacked(texts, options: new() { MaxDegreeOfParallelism = 0 }));
    }

    [Fact]
    public void EncodePacked_SeveralRowsCannotBeCut_TheFirstIsNamed()
    {
        // Row 700 has a first text of 2 tokens, the rows behind it of 3 and more: the message tells which row it speaks of.
        string[] texts = [.. Enumerable.Range(0, 3000).Select(i => string.Concat(Enumerable.Repeat(". ", i < 700 ? 20 : i - 698)))];
        string[] pairs = [.. texts.Select((_, i) => string.Concat(Enumerable.Repeat(". ", i < 700 ? 1 : 5000)))];
        for (var turn = 0; turn < 5; turn++)
        {
            var error = Assert.Throws<AttuneException>(() => TestVocabulary.Uncased.EncodePacked(
                texts, pairs, new() { MaxLength = 30, Truncation = TruncationStrategy.OnlyFirst }));
            Assert.StartsWith("A pair of 2 and ", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EncodeIds_AnyTextAndLength_IsTheFullEncodingCut() => Gen.Select(AnyText, Gen.Int[2, 40]).Sample((text, length) =>
    {
        foreach (var tokenizer in All)
        {
            var full = tokenizer.Encode(text);
            var cut = tokenizer.Encode(text, new EncodeOptions { MaxLength = length, Truncation = TruncationStrategy.LongestFirst });
            int[] expected = full.Length <= length ? [.. full.Ids] : [.. full.Ids.Take(length - 1), tokenizer.SepId];
            Assert.Equal(expected, cut.Ids);
            var ids = new int[length];
            Assert.Equal(expected, ids[..tokenizer.EncodeIds(text, ids)]);
            Assert.Equal(expected, tokenizer.EncodePacked([text], null, new EncodeOptions
            {
                MaxLength = length,
                Truncation = TruncationStrategy.LongestFirst,
            }).Row(0).ToArray());
        }
    });

    [Fact]
    public void Encode_Pairs_NeverExceedsTheLength() => Gen.Select(AnyText, AnyText, Gen.Int[3, 40]).Sample((first, second, length) =>
    {
        var options = new EncodeOptions { MaxLength = length, Truncation = TruncationStrategy.LongestFirst };
        var encoding = TestVocabulary.Uncased.Encode(first, second, options);
        Assert.InRange(encoding.Length, 3, length);
        Assert.Equal(3, encoding.SpecialTokensMask.Sum());
        Assert.Equal(encoding.Ids, TestVocabulary.Uncased.EncodePacked([first], [second], options).Ids);
    });

    [Fact]
    public void Encode_AnyText_LoneSurrogatesReadAsReplacementCharacters() => AnyText.Sample(text =>
    {
        var repaired = string.Concat(text.EnumerateRunes().Select(rune => rune.ToString()));
        foreach (var tokenizer in All) Assert.Equal(tokenizer.Encode(repaired).Ids, tokenizer.Encode(text).Ids);
    });

    [Fact]
    public void EncodeBatch_ManyRowsOnAllCores_EqualsOneByOne()
    {
        var random = new Random(7);
        var texts = Enumerable.Range(0, 3000)
            .Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(12)).Select(_ => TestVocabulary.Mini[random.Next(8000)]))).ToArray();
        var tokenizer = TestVocabulary.Uncased;
        var one = texts.Select(text => tokenizer.Encode(text)).ToArray();
        Assert.Equal(one.Select(row => string.Join(' ', row.Ids)), tokenizer.EncodeBatch(texts).Select(row => string.Join(' ', row.Ids)));
        var packed = tokenizer.EncodePacked(texts);
        Assert.Null(packed.TypeIds);
        Assert.Equal(texts.Length, packed.Count);
        Assert.Equal(one.Select(row => string.Join(' ', row.Ids)), Enumerable.Range(0, packed.Count).Select(i => string.Join(' ', packed.Row(i).ToArray())));
    }

    [Fact]
    public void EncodeIds_WarmedUp_AllocatesNothing()
    {
        var text = string.Concat(Enumerable.Repeat("An unbelievably long text, naïve and well-meant. ", 50));
        var ids = new int[4096];
        for (var i = 0; i < 3; i++) TestVocabulary.Uncased.EncodeIds(text, ids);
        var before = GC.GetAllocatedBytesForCurrentThread();
        TestVocabulary.Uncased.EncodeIds(text, ids);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Encode_SpecialTokenInText_IsTextUnlessAskedFor()
    {
        var asTokens = BertTokenizer.FromVocabulary(
            TestVocabulary.Mini, new BertTokenizerOptions { SpecialTokensInText = SpecialTokensInText.AsTokens });
        Assert.DoesNotContain(TestVocabulary.Uncased.SepId, TestVocabulary.Uncased.Encode("a [SEP] b").Ids.SkipLast(1));
        Assert.StartsWith("[CLS] a [", string.Join(' ', TestVocabulary.Uncased.Encode("a [SEP] b").Tokens), StringComparison.Ordinal);
        Assert.Equal(["[CLS]", "a", "[SEP]", "b", "[SEP]"], asTokens.Encode("a [SEP] b").Tokens);
        Assert.Equal([1, 0, 0, 0, 1], asTokens.Encode("a [SEP] b").SpecialTokensMask);
        Assert.DoesNotContain("[SEP]", asTokens.Encode("[sep]").Tokens.SkipLast(1));
    }

    [Fact]
    public void Encode_AddedTokens_AreFoundBesideSpecialOnesThatAreText()
    {
        var tokenizer = BertTokenizer.FromVocabulary(TestVocabulary.Mini, new BertTokenizerOptions { AddedTokens = [new("<e>"), new("<s>") { Special = true }] });
        Assert.Equal(TestVocabulary.Mini.Length, tokenizer.TokenToId("<e>"));
        Assert.Equal(["a", "<e>", "b", "<", "s", ">"], tokenizer.Encode("A<e>b<s>", new EncodeOptions { AddSpecialTokens = false }).Tokens);
        Assert.Equal(TestVocabulary.Mini.Length + 2, tokenizer.VocabularySize);
    }

    [Fact]
    public void EncodeBatch_LeftPaddingToAMultiple_FillsUpInFront()
    {
        var rows = TestVocabulary.Uncased.EncodeBatch(["a", "a b c d"], null, new EncodeOptions
        {
            Padding = PaddingStrategy.Longest,
            PadToMultipleOf = 8,
            PaddingSide = PaddingSide.Left,
        });
        Assert.All(rows, row => Assert.Equal(8, row.Length));
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1], rows[0].AttentionMask);
        Assert.Equal([1, 1, 1, 1, 1, 1, 0, 1], rows[0].SpecialTokensMask);
        Assert.Equal((0, 0), rows[0].Offsets[0]);
    }

    [Theory]
    [InlineData("[UNK]", "unk_token")]
    [InlineData("[CLS]", "cls_token")]
    [InlineData("[SEP]", "sep_token")]
    [InlineData("[PAD]", "pad_token")]
    public void FromVocabulary_SpecialTokenMissing_SaysWhich(string token, string role)
    {
        var error = Assert.Throws<AttuneException>(() => BertTokenizer.FromVocabulary(TestVocabulary.Mini.Where(line => line != token)));
        Assert.Contains($"\"{token}\", the {role}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromVocabulary_MaskMissing_HasNoMaskId() =>
        Assert.Null(BertTokenizer.FromVocabulary(TestVocabulary.Mini.Where(line => line != "[MASK]")).MaskId);

    [Fact]
    public void FromVocabulary_LineTwice_LastCounts()
    {
        var tokenizer = BertTokenizer.FromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "a"]);
        Assert.Equal([2, 6, 5, 3], tokenizer.Encode("a b").Ids);
        Assert.Equal(7, tokenizer.VocabularySize);
    }

    [Fact]
    public void Encode_NoRoomForSpecialTokens_SaysSo()
    {
        var options = new EncodeOptions { MaxLength = 1, Truncation = TruncationStrategy.LongestFirst };
        Assert.Contains("no room", Assert.Throws<AttuneException>(() => TestVocabulary.Uncased.Encode("a", options)).Message, StringComparison.Ordinal);
        Assert.Throws<AttuneException>(() => TestVocabulary.Uncased.EncodeIds("a", new int[1]));
        Assert.Throws<AttuneException>(() => TestVocabulary.Uncased.EncodePacked(Enumerable.Repeat("a", 2000).ToArray(), null, options));
    }

    [Fact]
    public void Decode_WholeTextCleanUp_JoinsWhatSingleTokensCannot()
    {
        var ids = TestVocabulary.Uncased.Encode("it ' s").Ids;
        Assert.Equal("it ' s", TestVocabulary.Uncased.Decode(ids, skipSpecialTokens: true));
        Assert.Equal("it's", TestVocabulary.Uncased.Decode(ids, skipSpecialTokens: true, cleanUpTokenizationSpaces: true));
    }
}
