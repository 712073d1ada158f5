using System.Text.Json.Nodes;
using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

public sealed class TokenizerFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-tokenizer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Save_ThenLoad_GivesTheSameTokenizer()
    {
        var options = new BertTokenizerOptions
        {
            DoLowerCase = false,
            StripAccents = true,
            TokenizeChineseChars = false,
            CleanText = false,
            ModelMaxLength = 512,
            MaxInputCharsPerWord = 50,
            PaddingSide = PaddingSide.Left,
            TokenizerClass = "DistilBertTokenizer",
            AddedTokens = [new("<e>") { LStrip = true, Normalized = true }, new("[E]") { Special = true, SingleWord = true }],
        };
        var saved = BertTokenizer.FromVocabulary(TestVocabulary.Mini, options);
        saved.Save(_folder);
        foreach (var withJson in new[] { true, false })
        {
            if (!withJson) File.Delete(Path.Combine(_folder, "tokenizer.json"));
            var loaded = (BertTokenizer)Tokenizer.FromPretrained(_folder);
            Assert.Equal(saved.VocabularySize, loaded.VocabularySize);
            foreach (var text in new[] { "Über 中文 <e> [E] straße", new string('x', 60), "[MASK] Hello" })
                if (withJson) Assert.Equal(saved.Encode(text).Ids, loaded.Encode(text).Ids);
            Assert.Equal(512, loaded.ModelMaxLength);
            Assert.Equal(options.DoLowerCase, loaded.Options.DoLowerCase);
            Assert.Equal(options.StripAccents, loaded.Options.StripAccents);
            Assert.Equal(PaddingSide.Left, loaded.Options.PaddingSide);
            Assert.Equal("DistilBertTokenizer", loaded.Options.TokenizerClass);
            Assert.Equal(saved.TokenToId("[E]"), loaded.TokenToId("[E]"));
            Assert.Equal(options.AddedTokens[0], loaded.Options.AddedTokens.Single(token => token.Content == "<e>"));
        }
    }

    [Fact]
    public void FromPretrained_TruncationSideLeft_IsRefused()
    {
        TestVocabulary.Uncased.Save(_folder);
        var path = Path.Combine(_folder, "tokenizer_config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["truncation_side"] = "right";
        File.WriteAllText(path, config.ToJsonString());
        Tokenizer.FromPretrained(_folder);
        config["truncation_side"] = "left";
        File.WriteAllText(path, config.ToJsonString());
        Assert.StartsWith($"{path}: truncation_side is \"left\", but Attune cuts long texts at their end only",
            Assert.Throws<AttuneException>(() => Tokenizer.FromPretrained(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_NoMaximalLength_WritesTheNumberOfTransformers()
    {
        TestVocabulary.Uncased.Save(_folder);
        Assert.Contains("\"model_max_length\": 1000000000000000019884624838656", File.ReadAllText(Path.Combine(_folder, "tokenizer_config.json")), StringComparison.Ordinal);
        Assert.Null(Tokenizer.FromPretrained(_folder).ModelMaxLength);
        Assert.Equal(TestVocabulary.Mini, File.ReadAllLines(Path.Combine(_folder, "vocab.txt")));
        Assert.Equal(
            ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"],
            Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void FromPretrained_FoldersOfTheHub_AgreeWithTheirVocabulary()
    {
        var folders = new[] { "bert-base-uncased", "bert-base-multilingual-cased", "bert-base-chinese" }
            .Select(Golden.Data).Where(folder => folder is not null).ToList();
        Assert.SkipWhen(folders.Count == 0, "There are no model folders (ATTUNE_DATA, ../shared/data).");
        foreach (var folder in folders)
        {
            var fromJson = (BertTokenizer)Tokenizer.FromPretrained(folder!);
            var fromVocabulary = BertTokenizer.FromVocabulary(Path.Combine(folder!, "vocab.txt"), fromJson.Options);
            Assert.Equal(fromVocabulary.VocabularySize, fromJson.VocabularySize);
            foreach (var text in new[] { "Hello, wörld! Ünïcode", "我爱北京天安门。", "Привет, мир", "नमस्ते 東京 서울" })
                Assert.Equal(fromVocabulary.Encode(text).Ids, fromJson.Encode(text).Ids);
            fromJson.Save(_folder);
            Assert.Equal(fromJson.Encode("我 love été").Ids, Tokenizer.FromPretrained(_folder).Encode("我 love été").Ids);
        }
    }

    [Fact]
    public void FromPretrained_ConfigAndMap_OverruleTheTokenizerFile()
    {
        TestVocabulary.Uncased.Save(_folder);
        File.WriteAllText(Path.Combine(_folder, "special_tokens_map.json"), """{"mask_token": {"content": "[NO]"}}""");
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"),
            """{"do_lower_case": false, "tokenize_chinese_chars": false, "model_max_length": 64, "additional_special_tokens": ["<x>"]}""");
        var tokenizer = (BertTokenizer)Tokenizer.FromPretrained(_folder, SpecialTokensInText.AsTokens);
        Assert.False(tokenizer.Options.DoLowerCase);
        Assert.False(tokenizer.Options.TokenizeChineseChars);
        Assert.Equal(64, tokenizer.ModelMaxLength);
        Assert.Null(tokenizer.MaskId);
        Assert.Contains("<x>", tokenizer.Encode("a <x>").Tokens);
    }

    [Theory]
    [InlineData("model", "{\"type\": \"WordLevel\", \"vocab\": {}}", "the model \"WordLevel\" is not supported")]
    [InlineData("pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"a\"}}", "the pre_tokenizer \"Split\" is not supported")]
    [InlineData("normalizer", "{\"type\": \"Nmt\"}", "the normalizer has Nmt, which is not supported")]
    [InlineData("normalizer", "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"a|b\"}, \"content\": \"\"}", "Replace with the pattern \"a|b\"")]
    [InlineData("decoder", "{\"type\": \"CTC\"}", "the decoder \"CTC\" is not supported")]
    [InlineData("post_processor", "{\"type\": \"Other\"}", "the post_processor \"Other\" is not supported")]
    public void FromPretrained_PartThatThereIsNot_IsNamed(string section, string part, string message)
    {
        var json = JsonNode.Parse("""
            {"added_tokens": [{"id": 1, "content": "<s>", "special": true}, {"id": 2, "content": "</s>", "special": true},
              {"id": 3, "content": "<pad>", "special": true}, {"id": 4, "content": "<unk>", "special": true}],
             "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "post_processor": null, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"a": 0, "<s>": 1, "</s>": 2, "<pad>": 3, "<unk>": 4}, "merges": []}}
            """)!;
        var path = Path.Combine(_folder, "tokenizer.json");
        File.WriteAllText(path, json.ToJsonString());
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), "{\"cls_token\": \"<s>\", \"sep_token\": \"</s>\"}");
        Assert.Equal([0, 0], Tokenizer.FromPretrained(_folder).Encode("aa").Ids);
        json[section] = JsonNode.Parse(part);
        File.WriteAllText(path, json.ToJsonString());
        var error = Assert.Throws<AttuneException>(() => Tokenizer.FromPretrained(_folder)).Message;
        Assert.StartsWith(path + ": ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_TokenizerOfMerges_KeepsEveryFileOfIt()
    {
        var from = Directory.CreateDirectory(Path.Combine(_folder, "from")).FullName;
        foreach (var name in Attune.Formats.TokenizerFileNames.All) File.WriteAllText(Path.Combine(from, name), name.EndsWith(".json", StringComparison.Ordinal) ? "{}" : name);
        File.Delete(Path.Combine(from, "tokenizer.json"));
        File.Delete(Path.Combine(from, "vocab.txt"));
        File.WriteAllText(Path.Combine(from, "vocab.json"), """{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}""");
        File.WriteAllText(Path.Combine(from, "merges.txt"), "");
        var into = Path.Combine(_folder, "into");
        Tokenizer.FromPretrained(from).Save(into);
        Assert.Equal(Names(from), Names(into));

        static IEnumerable<string?> Names(string folder) => Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void FromPretrained_TruncatedAnywhere_IsRefusedInOneSentence()
    {
        BertTokenizer.FromVocabulary(TestVocabulary.Mini.Take(30)).Save(_folder);
        var path = Path.Combine(_folder, "tokenizer.json");
        var bytes = File.ReadAllBytes(path);
        for (var length = 0; length < bytes.Length - 2; length += 7)
        {
            File.WriteAllBytes(path, bytes[..length]);
            var error = Assert.Throws<AttuneException>(() => Tokenizer.FromPretrained(_folder));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void FromPretrained_EachValueOfAnotherType_IsRefusedOrHarmless()
    {
        BertTokenizer.FromVocabulary(TestVocabulary.Mini.Take(12)).Save(_folder);
        foreach (var file in new[] { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json" })
        {
            var path = Path.Combine(_folder, file);
            var sound = File.ReadAllText(path);
            var count = Places(JsonNode.Parse(sound)!).Count;
            for (var place = 0; place < count; place++)
                foreach (var value in new[] { "null", "-1", "99999999999", "\"x\"", "\"LONE\"", "[[[]]]", "{}", "true" })
                {
                    var root = JsonNode.Parse(sound)!;
                    Replace(Places(root)[place], JsonNode.Parse(value));
                    File.WriteAllText(path, root.ToJsonString().Replace("LONE", "\\ud800", StringComparison.Ordinal));
                    try
                    {
                        Tokenizer.FromPretrained(_folder).Encode("a b");
                    }
                    catch (AttuneException e)
                    {
                        Assert.DoesNotContain('\n', e.Message);
                    }
                }
            File.WriteAllText(path, sound);
        }
    }

    [Fact]
    public void FromPretrained_NothingThere_SaysWhatToDo()
    {
        Assert.Contains("neither", Assert.Throws<AttuneException>(() => Tokenizer.FromPretrained(_folder)).Message, StringComparison.Ordinal);
        Assert.Throws<AttuneException>(() => Tokenizer.FromPretrained(Path.Combine(_folder, "absent")));
        Assert.Throws<AttuneException>(() => BertTokenizer.FromVocabulary(Path.Combine(_folder, "absent.txt")));
    }

    [Fact]
    public void FromPretrained_WindowsLineEnds_AreNotPartOfTheTokens()
    {
        File.WriteAllText(Path.Combine(_folder, "vocab.txt"), string.Join("\r\n", TestVocabulary.Mini) + "\r\n", System.Text.Encoding.UTF8);
        Assert.Equal(TestVocabulary.Uncased.Encode("hello").Ids, Tokenizer.FromPretrained(_folder).Encode("hello").Ids);
    }

    private static List<JsonNode> Places(JsonNode root)
    {
        var all = new List<JsonNode>();
        Walk(root);
        return all;

        void Walk(JsonNode? node)
        {
            if (node is null) return;
            if (node.Parent is not null) all.Add(node);
            if (node is JsonObject map) foreach (var (_, child) in map) Walk(child);
            if (node is JsonArray list) foreach (var child in list) Walk(child);
        }
    }

    private static void Replace(JsonNode place, JsonNode? value)
    {
        if (place.Parent is JsonObject map) map[place.GetPropertyName()] = value;
        else if (place.Parent is JsonArray list) list[place.GetElementIndex()] = value;
    }
}
