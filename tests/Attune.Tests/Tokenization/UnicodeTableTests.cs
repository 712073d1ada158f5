using System.Buffers.Binary;
using System.Text;
using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

/// <summary>Every Unicode scalar, alone and inside a word, against the Rust tokenizer: golden/tokenizer_own/scalars.*.bin.</summary>
public sealed class UnicodeTableTests
{
    [Theory]
    [InlineData("uncased", true, true, null, true)]
    [InlineData("cased", true, true, null, false)]
    [InlineData("lower_with_accents", true, true, false, true)]
    [InlineData("bare", false, false, true, false)]
    public void Encode_EveryScalar_EqualsRust(string name, bool clean, bool chinese, bool? strip, bool lower)
    {
        var expected = File.ReadAllBytes(Path.Combine(Golden.Own("tokenizer_own"), $"scalars.{name}.bin"));
        var tokenizer = BertTokenizer.FromVocabulary(EveryScalar(), new BertTokenizerOptions
        {
            CleanText = clean,
            TokenizeChineseChars = chinese,
            StripAccents = strip,
            DoLowerCase = lower,
        });
        var options = new EncodeOptions { AddSpecialTokens = false };
        var wrong = new List<string>();
        for (var block = 0; block < 0x1100; block++)
        {
            var text = new StringBuilder();
            for (var code = block << 8; code < (block + 1) << 8; code++)
            {
                if (code is >= 0xD800 and < 0xE000) continue;
                var c = char.ConvertFromUtf32(code);
                text.Append(c).Append("\na").Append(c).Append("b\n");
            }
            var encoding = tokenizer.Encode(text.ToString(), options);
            var hash = 0x811C9DC5u;
            foreach (var number in encoding.Ids.Concat(encoding.CodePointOffsets().SelectMany(o => new[] { o.Start, o.End })))
                hash = (hash ^ (uint)number) * 0x01000193;
            if (hash != BinaryPrimitives.ReadUInt32LittleEndian(expected.AsSpan(4 * block))) wrong.Add($"U+{block << 8:X4}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} blocks of 256 differ: {string.Join(' ', wrong.Take(20))}");
    }

    /// <summary>The vocabulary of make-scalars.mjs.</summary>
    private static IEnumerable<string> EveryScalar()
    {
        foreach (var token in new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" }) yield return token;
        for (var code = 0x21; code < 0x30000; code++)
        {
            if (code is >= 0xD800 and < 0xE000) continue;
            yield return char.ConvertFromUtf32(code);
            yield return "##" + char.ConvertFromUtf32(code);
        }
    }
}
