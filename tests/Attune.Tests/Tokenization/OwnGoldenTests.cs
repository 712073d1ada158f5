using System.Text.Json;
using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

/// <summary>The repository's own texts against the Rust tokenizer: golden/tokenizer_own/texts.jsonl.</summary>
public sealed class OwnGoldenTests
{
    [Fact]
    public void Encode_OwnTexts_EqualsRust()
    {
        var folder = Golden.Own("tokenizer_own");
        var tokenizers = Golden.Json(folder, "variants.json").GetProperty("variants").EnumerateObject()
            .ToDictionary(variant => variant.Name, variant => Tokenizer(variant.Value));
        using var reader = new StreamReader(Golden.Open(folder, "texts.jsonl"));
        var row = 0;
        while (reader.ReadLine() is { } json)
        {
            row++;
            using var document = JsonDocument.Parse(json);
            var line = document.RootElement;
            try
            {
                AssertLine(tokenizers[line.GetProperty("variant").GetString()!], line);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"row {row}, {line.GetProperty("variant")}, {line.GetProperty("text").GetRawText()}: {e.Message}", e);
            }
        }
        Assert.True(row > 0);
    }

    private static void AssertLine(BertTokenizer tokenizer, JsonElement line)
    {
        var text = line.GetProperty("text").GetString()!;
        var pair = line.TryGetProperty("pair", out var second) ? second.GetString() : null;
        var options = line.TryGetProperty("strategy", out var strategy)
            ? new EncodeOptions
            {
                MaxLength = line.GetProperty("max_length").GetInt32(),
                Truncation = Enum.Parse<TruncationStrategy>(strategy.GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
            }
            : new EncodeOptions();
        if (line.TryGetProperty("error", out _))
        {
            Assert.Throws<AttuneException>(() => tokenizer.Encode(text, pair, options));
            return;
        }
        var encoding = tokenizer.Encode(text, pair, options);
        AssertNumbers("ids", encoding.Ids);
        AssertNumbers("types", encoding.TypeIds);
        AssertNumbers("special", encoding.SpecialTokensMask);
        AssertNumbers("off", encoding.CodePointOffsets().SelectMany(offset => new[] { offset.Start, offset.End }));
        var packed = tokenizer.EncodePacked([text], pair is null ? null : [pair], options);
        Assert.Equal(encoding.Ids, packed.Ids);
        if (!line.TryGetProperty("decoded", out var decoded)) return;
        Assert.Equal(decoded.GetString(), tokenizer.Decode(encoding.Ids));
        Assert.Equal(line.GetProperty("plain").GetString(), tokenizer.Decode(encoding.Ids, skipSpecialTokens: true));

        void AssertNumbers(string key, IEnumerable<int> numbers) => Assert.Equal(
            string.Join(' ', line.GetProperty(key).EnumerateArray().Select(number => number.GetRawText())), string.Join(' ', numbers));
    }

    private static BertTokenizer Tokenizer(JsonElement variant)
    {
        var options = variant.GetProperty("options");
        return BertTokenizer.FromVocabulary(TestVocabulary.Mini, new BertTokenizerOptions
        {
            CleanText = options.GetProperty("clean_text").GetBoolean(),
            TokenizeChineseChars = options.GetProperty("handle_chinese_chars").GetBoolean(),
            StripAccents = options.GetProperty("strip_accents") is { ValueKind: not JsonValueKind.Null } strip ? strip.GetBoolean() : null,
            DoLowerCase = options.GetProperty("lowercase").GetBoolean(),
            SpecialTokensInText = SpecialTokensInText.AsTokens,
            AddedTokens = [.. variant.GetProperty("added_tokens").EnumerateArray().Select(TokenizerJson.ReadToken)],
        });
    }
}
