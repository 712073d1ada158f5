using System.Text.Json;
using Attune.Tokenization;
using static Attune.Tests.Tokenization.GoldenRows;

namespace Attune.Tests.Tokenization;

/// <summary>The same ids and places as Hugging Face's Rust tokenizer, on every case of golden/tokenizer.</summary>
public sealed class TokenizerGoldenTests
{
    private static readonly Lazy<Dictionary<int, string>> Texts = new(() => Golden
        .Files(Golden.Require("tokenizer"), ".jsonl").Where(file => file.StartsWith("single.", StringComparison.Ordinal))
        .SelectMany(Lines).Where(line => line.TryGetProperty("text", out _))
        .GroupBy(line => line.GetProperty("i").GetInt32())
        .ToDictionary(group => group.Key, group => group.First().GetProperty("text").GetString()!));

    [Fact]
    public void Encode_SingleTexts_EqualsRust() => EachLine("single.", (tokenizer, line) =>
        AssertRow(line, tokenizer.Encode(Text(line, "i"))));

    [Fact]
    public void Encode_WithoutSpecialTokens_EqualsRust() => EachLine("single_no_special.", (tokenizer, line) =>
        AssertRow(line, tokenizer.Encode(Text(line, "i"), new EncodeOptions { AddSpecialTokens = false })));

    [Fact]
    public void Encode_Truncated_EqualsRust() => EachLine("single_truncated.", (tokenizer, line) =>
    {
        var length = line.GetProperty("max_length").GetInt32();
        AssertRow(line, tokenizer.Encode(
            Text(line, "i"), new EncodeOptions { MaxLength = length, Truncation = TruncationStrategy.LongestFirst }));
        var ids = new int[length];
        Assert.Equal(Ints(line, "ids"), ids[..tokenizer.EncodeIds(Text(line, "i"), ids)]);
    });

    [Fact]
    public void Encode_Pairs_EqualsRust() => EachLine("pairs.", (tokenizer, line) =>
    {
        var options = new EncodeOptions
        {
            Truncation = Strategy(line, "strategy"),
            MaxLength = line.GetProperty("max_length").ValueKind == JsonValueKind.Null ? null : line.GetProperty("max_length").GetInt32(),
        };
        var (first, second) = (Text(line, "a"), Text(line, "b"));
        if (line.TryGetProperty("error", out _))
        {
            Assert.Throws<AttuneException>(() => tokenizer.Encode(first, second, options));
            return;
        }
        var encoding = tokenizer.Encode(first, second, options);
        AssertRow(line, encoding);
        var runs = Ints(line, "type_runs");
        Assert.Equal([.. Enumerable.Repeat(0, runs[0]), .. Enumerable.Repeat(1, runs[1])], encoding.TypeIds);
        var packed = tokenizer.EncodePacked([first], [second], options);
        Assert.Equal(encoding.Ids, packed.Ids);
        Assert.Equal(encoding.TypeIds, packed.TypeIds!);
    });

    [Fact]
    public void EncodeBatch_Padded_EqualsRust() => EachLine("batches.", (tokenizer, line) =>
    {
        var indices = Ints(line, "texts");
        var texts = indices.Select(index => Texts.Value[index]).ToArray();
        var pairs = line.GetProperty("pair_with_next").GetBoolean()
            ? texts.Select((_, i) => texts[(i + 1) % texts.Length]).ToArray() : null;
        var padding = line.GetProperty("padding").GetString();
        var options = new EncodeOptions
        {
            Padding = padding == "max_length" ? PaddingStrategy.MaxLength : PaddingStrategy.Longest,
            PadToMultipleOf = line.TryGetProperty("pad_to_multiple_of", out var multiple) ? multiple.GetInt32() : null,
            MaxLength = line.TryGetProperty("max_length", out var length) ? length.GetInt32() : null,
            Truncation = Strategy(line, "truncation"),
            PaddingSide = line.TryGetProperty("padding_side", out var side) && side.GetString() == "left"
                ? PaddingSide.Left : PaddingSide.Right,
        };
        var rows = tokenizer.EncodeBatch(texts, pairs, options);
        AssertRows(line, "input_ids", rows, row => row.Ids);
        AssertRows(line, "token_type_ids", rows, row => row.TypeIds);
        AssertRows(line, "attention_mask", rows, row => row.AttentionMask);
        AssertRows(line, "special_tokens_mask", rows, row => row.SpecialTokensMask);
    });

    [Fact]
    public void Decode_EqualsRust() => EachLine("decode.", (tokenizer, line) =>
    {
        var ids = tokenizer.Encode(Text(line, "i")).Ids;
        Assert.Equal(line.GetProperty("decoded").GetString(), tokenizer.Decode(ids, line.GetProperty("skip_special_tokens").GetBoolean()));
    });

    private static void EachLine(string kind, Action<BertTokenizer, JsonElement> check)
    {
        var folder = Golden.Require("tokenizer");
        var files = Golden.Files(folder, ".jsonl").Where(file => file.StartsWith(kind, StringComparison.Ordinal)).ToList();
        Assert.SkipWhen(files.Count == 0, $"{folder} has no file {kind}*.jsonl.");
        foreach (var file in files)
        {
            var name = file[kind.Length..^".jsonl".Length];
            var vocabulary = Path.Combine(folder, "vocab", $"bert-base-{name}-vocab.txt");
            var tokenizer = BertTokenizer.FromVocabulary(vocabulary, new BertTokenizerOptions
            {
                DoLowerCase = !name.Contains("cased", StringComparison.Ordinal) || name.Contains("uncased", StringComparison.Ordinal),
                SpecialTokensInText = SpecialTokensInText.AsTokens,
            });
            var row = 0;
            foreach (var line in Lines(file))
            {
                row++;
                try
                {
                    check(tokenizer, line);
                }
                catch (Exception e) when (e is not (OutOfMemoryException or StackOverflowException))
                {
                    throw new InvalidOperationException($"{file}, line {row}: {e.Message}", e);
                }
            }
            Assert.True(row > 0, $"{file} has no case.");
        }
    }

    private static IEnumerable<JsonElement> Lines(string file) => GoldenRows.Lines(Golden.Require("tokenizer"), file);

    private static string Text(JsonElement line, string key) => Texts.Value[line.GetProperty(key).GetInt32()];

    private static void AssertRows(JsonElement line, string key, IReadOnlyList<Encoding> rows, Func<Encoding, IReadOnlyList<int>> values)
    {
        if (line.TryGetProperty(key, out var expected))
            Assert.Equal(expected.GetRawText(), JsonSerializer.Serialize(rows.Select(values)));
    }
}
