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
