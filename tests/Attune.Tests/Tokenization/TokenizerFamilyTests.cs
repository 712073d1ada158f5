using System.Globalization;
using System.Text.Json;
using Attune.Tests.Datasets;
using Attune.Tokenization;
using static Attune.Tests.Tokenization.GoldenRows;

namespace Attune.Tests.Tokenization;

/// <summary>Byte-level BPE and Unigram as Hugging Face's Rust tokenizer has them, on every case of golden/tokenizers_family.</summary>
public sealed class TokenizerFamilyTests
{
    private static readonly Lazy<Dictionary<int, string>> Texts = new(() => Lines(Golden.Require("tokenizer"), "single.uncased.jsonl")
        .ToDictionary(line => line.GetProperty("i").GetInt32(), line => line.GetProperty("text").GetString()!));

    public static TheoryData<string> Folders => Golden.Folder("tokenizers_family") is { } family
        ? [.. Directory.EnumerateDirectories(family).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)] : [""];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Encode_EqualsRust(string name) => EachLine(name, "single.jsonl", (tokenizer, line) =>
    {
        var encoding = tokenizer.Encode(Text(line, "i"));
        AssertRow(line, encoding);
        Assert.All(encoding.TypeIds, type => Assert.Equal(0, type));
        Assert.Equal(encoding.Ids, tokenizer.EncodePacked([Text(line, "i")]).Ids);
    });

    [Theory]
    [MemberData(nameof(Folders))]
    public void Encode_WithoutSpecialTokens_EqualsRust(string name) => EachLine(name, "single_no_special.jsonl", (tokenizer, line) =>
        AssertRow(line, tokenizer.Encode(Text(line, "i"), new EncodeOptions { AddSpecialTokens = false })));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Encode_Truncated_EqualsRust(string name) => EachLine(name, "single_truncated.jsonl", (tokenizer, line) =>
    {
        var length = line.GetProperty("max_length").GetInt32();
        AssertRow(line, tokenizer.Encode(Text(line, "i"), new EncodeOptions { MaxLength = length, Truncation = TruncationStrategy.LongestFirst }));
        var ids = new int[length];
        Assert.Equal(Ints(line, "ids"), ids[..tokenizer.EncodeIds(Text(line, "i"), ids)]);
    });

    [Theory]
    [MemberData(nameof(Folders))]
    public void Encode_Pairs_EqualsRust(string name) => EachLine(name, "pairs.jsonl", (tokenizer, line) =>
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
        Assert.Equal(encoding.Ids, tokenizer.EncodePacked([first], [second], options).Ids);
    });

    [Theory]
    [MemberData(nameof(Folders))]
    public void EncodeBatch_EqualsRust(string name) => EachLine(name, "batches.jsonl", (tokenizer, line) =>
    {
        var texts = Ints(line, "texts").Select(index => Texts.Value[index]).ToArray();
        var (kind, cut) = (line.GetProperty("padding").GetString()!, line.GetProperty("truncation"));
        var rows = tokenizer.EncodeBatch(texts, null, new EncodeOptions
        {
            Padding = kind.StartsWith("max_length_", StringComparison.Ordinal) ? PaddingStrategy.MaxLength : PaddingStrategy.Longest,
            PadToMultipleOf = kind.StartsWith("multiple_of_", StringComparison.Ordinal) ? int.Parse(kind["multiple_of_".Length..], CultureInfo.InvariantCulture) : null,
            MaxLength = cut.ValueKind == JsonValueKind.Null ? null : cut.GetInt32(),
            Truncation = cut.ValueKind == JsonValueKind.Null ? TruncationStrategy.DoNotTruncate : TruncationStrategy.LongestFirst,
            PaddingSide = kind == "left" ? PaddingSide.Left : PaddingSide.Right,
        });
        // The reference was padded by an id of its own choice.
        var padding = line.GetProperty("pad_id").GetInt32();
        AssertRows(line, "input_ids", rows, row => [.. row.Ids.Select((id, i) => row.AttentionMask[i] == 1 ? id : padding)]);
        Assert.All(rows, row => Assert.All(row.Ids.Where((_, i) => row.AttentionMask[i] == 0), id => Assert.Equal(tokenizer.PadId, id)));
        AssertRows(line, "attention_mask", rows, row => row.AttentionMask);
    });

    [Theory]
    [MemberData(nameof(Folders))]
    public void Decode_EqualsRust(string name) => EachLine(name, "decode.jsonl", (tokenizer, line) => Assert.Equal(
        line.GetProperty("decoded").GetString(), tokenizer.Decode(tokenizer.Encode(Text(line, "i")).Ids, line.GetProperty("skip_special_tokens").GetBoolean())));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Encode_OddTexts_EqualsRust(string name) => EachLine(name, "extra.jsonl", (tokenizer, line) =>
    {
        var encoding = tokenizer.Encode(line.GetProperty("text").GetString()!);
        AssertRow(line, encoding);
        // Rust spells an unknown piece and an added token as they stand in the text; here a token is spelled as the vocabulary has it.
        foreach (var (i, token) in line.GetProperty("tokens").EnumerateArray().Index())
            if (encoding.Ids[i] != tokenizer.UnkId && token.GetString()!.Trim() != encoding.Tokens[i].Trim()) Assert.Equal(token.GetString(), encoding.Tokens[i]);
        Assert.Equal(line.GetProperty("decoded").GetString(), tokenizer.Decode(encoding.Ids, skipSpecialTokens: true));
        Assert.Equal(line.GetProperty("decoded_with_special").GetString(), tokenizer.Decode(encoding.Ids));
    });

    /// <summary>RoBERTa's older two files give the same tokenizer as its tokenizer.json.</summary>
    [Fact]
    public void FromPretrained_VocabularyAndMerges_SameAsTokenizerJson()
    {
        var folder = Path.Combine(Golden.Require("tokenizers_family"), "roberta");
        using var unpacked = new TemporaryFolder();
        foreach (var name in new[] { "vocab.json", "merges.txt" })
        {
            using var from = Golden.Open(folder, name);
            using var to = File.Create(Path.Combine(unpacked.Path, name));
            from.CopyTo(to);
        }
        var tokenizer = Tokenizer.FromPretrained(unpacked.Path, SpecialTokensInText.AsTokens);
        foreach (var line in Lines(folder, "single.jsonl").Take(300)) AssertRow(line, tokenizer.Encode(Text(line, "i")));
        using var saved = new TemporaryFolder();
        tokenizer.Save(saved.Path);
        Assert.Equal(File.ReadAllBytes(Path.Combine(unpacked.Path, "merges.txt")), File.ReadAllBytes(Path.Combine(saved.Path, "merges.txt")));
    }

    /// <summary>By default a text cannot have the special tokens, whatever it spells.</summary>
    [Theory]
    [MemberData(nameof(Folders))]
    public void Encode_SpecialTokensSpelledInAText_AreText(string name)
    {
        var tokenizer = Load(name, SpecialTokensInText.AsText);
        var special = tokenizer.SpecialIds.Where(id => id != tokenizer.UnkId).ToHashSet();
        foreach (var id in special)
            Assert.DoesNotContain(tokenizer.Encode($"a {tokenizer.IdToToken(id)} b", new EncodeOptions { AddSpecialTokens = false }).Ids, special.Contains);
    }

    private static Tokenizer Load(string name, SpecialTokensInText specialTokens)
    {
        using var unpacked = new TemporaryFolder();
        using (var packed = Golden.Open(Path.Combine(Golden.Require("tokenizers_family"), name), "tokenizer.json"))
        using (var json = File.Create(Path.Combine(unpacked.Path, "tokenizer.json")))
            packed.CopyTo(json);
        return Tokenizer.FromPretrained(unpacked.Path, specialTokens);
    }

    private static void EachLine(string name, string file, Action<Tokenizer, JsonElement> check)
    {
        var folder = Path.Combine(Golden.Require("tokenizers_family"), name);
        var tokenizer = Load(name, SpecialTokensInText.AsTokens);
        var (row, wrong) = (0, new List<string>());
        foreach (var line in Lines(folder, file))
        {
            row++;
            try
            {
                check(tokenizer, line);
            }
            catch (Exception e) when (e is not (OutOfMemoryException or StackOverflowException))
            {
                wrong.Add($"{file}, line {row}: {e.Message}");
            }
        }
        Assert.True(row > 0, $"{file} has no case.");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {row} cases differ: {string.Join(Environment.NewLine, wrong.Take(5))}");
    }

    private static string Text(JsonElement line, string key) => Texts.Value[line.GetProperty(key).GetInt32()];

    private static void AssertRows(JsonElement line, string key, IReadOnlyList<Encoding> rows, Func<Encoding, IReadOnlyList<int>> values)
    {
        Assert.Equal(line.GetProperty(key).GetRawText(), JsonSerializer.Serialize(rows.Select(values)));
    }
}
