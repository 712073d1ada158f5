using System.Text.Json;
using Attune.Formats;

namespace Attune.Tokenization;

/// <summary>The files of a tokenizer in a model's folder, in the layout of the Hugging Face hub.</summary>
internal sealed class TokenizerFiles
{
    private TokenizerFiles(string folder)
    {
        Folder = folder;
        foreach (var name in TokenizerFileNames.All)
            if (File.Exists(At(name))) All[name] = Guarded(At(name), () => File.ReadAllBytes(At(name)));
    }

    /// <summary>Where they were read from.</summary>
    internal string Folder { get; }

    /// <summary>Their bytes by their names.</summary>
    internal SortedDictionary<string, byte[]> All { get; } = new(StringComparer.Ordinal);

    /// <summary>Makes the tokenizer of a folder.</summary>
    /// <exception cref="AttuneException">The folder or the vocabulary is missing, or a file is damaged or of another kind.</exception>
    internal static Tokenizer Read(string folder, SpecialTokensInText specialTokensInText)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder} is not a folder: give the folder of a model.");
        var files = new TokenizerFiles(folder);
        if (files.All.ContainsKey(TokenizerFileNames.Whole)) return files.FromJson(specialTokensInText);
        if (File.Exists(files.At(TokenizerFileNames.Vocabulary))) return files.FromVocabulary(specialTokensInText);
        if (files.All.ContainsKey(TokenizerFileNames.BpeVocabulary) && files.All.ContainsKey(TokenizerFileNames.Merges)) return files.FromMerges(specialTokensInText);
        throw new AttuneException(
            files.All.Keys.FirstOrDefault(name => name.EndsWith(".model", StringComparison.Ordinal)) is { } sentencePiece
                ? $"{folder} has {sentencePiece}, but no {TokenizerFileNames.Whole}: save it with transformers' fast tokenizer, or take the folder of the same model that has one."
                : $"{folder} holds neither {TokenizerFileNames.Whole} nor {TokenizerFileNames.Vocabulary}: download the model again.");
    }

    /// <summary>Writes them as they are.</summary>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    internal void Save(string folder)
    {
        AtomicFile.CreateFolder(folder);
        foreach (var (name, bytes) in All) AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(bytes));
    }

    /// <summary>The lines of a vocabulary file, without the end of the last one.</summary>
    /// <exception cref="AttuneException">The file cannot be read.</exception>
    internal static List<string> ReadLines(string path)
    {
        try
        {
            var text = File.ReadAllText(path, System.Text.Encoding.UTF8);
            var lines = new List<string>();
            for (int start = 0, end; start < text.Length; start = end + 1)
            {
                end = text.IndexOf('\n', start);
                if (end < 0) end = text.Length;
                lines.Add(text.AsSpan(start, end - start).TrimEnd('\r').ToString());
            }
            return lines;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read ({e.Message.TrimEnd('.')}): check the file and its permissions.", e);
        }
    }

    private Tokenizer FromJson(SpecialTokensInText specialTokensInText)
    {
        var path = At(TokenizerFileNames.Whole);
        try
        {
            using var document = JsonDocument.Parse(All[TokenizerFileNames.Whole]);
            var root = document.RootElement;
            if (!TokenizerJson.IsBert(root))
            {
                var parts = new PipelineJson(root, path).Read();
                var options = TokenizerJson.Named(new TokenizerOptions { TokenizerClass = "PreTrainedTokenizerFast" }, root, parts.Template);
                return new PipelineTokenizer(parts, Configured(Guess(options, parts.Vocabulary)) with { SpecialTokensInText = specialTokensInText }, this);
            }
            if (TokenizerJson.Part(root, "decoder") is { } decoder && TokenizerJson.Type(decoder) != "WordPiece") throw TokenizerJson.Unsupported(root, "decoder", path);
            var template = TokenizerJson.Template(root, path);
            var bert = Configured(TokenizerJson.Named(TokenizerJson.Bert(root), root, template));
            return new BertTokenizer(
                Vocabulary.FromJson(root.GetProperty("model").GetProperty("vocab"), path), bert with { SpecialTokensInText = specialTokensInText }, template, Folder);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new AttuneException($"{path} is not a whole tokenizer.json ({e.Message.TrimEnd('.')}): download it again.", e);
        }
    }

    private BertTokenizer FromVocabulary(SpecialTokensInText specialTokensInText) => new(
        Vocabulary.FromLines(ReadLines(At(TokenizerFileNames.Vocabulary))), WithAdded(Configured(new BertTokenizerOptions())) with { SpecialTokensInText = specialTokensInText }, null, Folder);

    /// <summary>RoBERTa's two files, as its fast tokenizer takes them.</summary>
    private PipelineTokenizer FromMerges(SpecialTokensInText specialTokensInText)
    {
        var vocabulary = Guarded(At(TokenizerFileNames.BpeVocabulary), () =>
        {
            using var document = JsonDocument.Parse(All[TokenizerFileNames.BpeVocabulary]);
            return Vocabulary.FromJson(document.RootElement, At(TokenizerFileNames.BpeVocabulary));
        });
        var options = Configured(new TokenizerOptions
        {
            UnkToken = "<unk>",
            SepToken = "</s>",
            PadToken = "<pad>",
            ClsToken = "<s>",
            MaskToken = "<mask>",
            TokenizerClass = "RobertaTokenizer",
        });
        options = WithAdded(options with { AddedTokens = Union(options.AddedTokens, [new AddedToken(options.MaskToken) { LStrip = true, Special = true }]) });
        var bpe = Guarded(At(TokenizerFileNames.Merges), () => new ByteLevelBpe(
            vocabulary.Ids, [.. ReadLines(At(TokenizerFileNames.Merges)).Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal)).Select(PipelineJson.Merge)],
            vocabulary.IdOf(options.UnkToken), takesWholeWords: false));
        var addsSpace = Config(TokenizerFileNames.Config, config => Value(config, "add_prefix_space")?.GetBoolean()) ?? false;
        int Id(string token) => vocabulary.IdOf(token) ?? throw new AttuneException($"{At(TokenizerFileNames.BpeVocabulary)} has no \"{token}\": take the files of the same model.");
        var parts = new PipelineParts(
            vocabulary, null, _ => new ByteLevelWords(bpe, addsSpace, usePattern: true),
            SequenceTemplate.Roberta((options.ClsToken, Id(options.ClsToken)), (options.SepToken, Id(options.SepToken))), TokenDecoder.ByteLevel, new OffsetTrim(addsSpace));
        return new PipelineTokenizer(parts, options with { SpecialTokensInText = specialTokensInText }, this);
    }

    /// <summary>The names that tokenizer.json does not tell, where tokenizer_config.json does not either: those in use that the vocabulary has.</summary>
    private static TokenizerOptions Guess(TokenizerOptions options, Vocabulary vocabulary)
    {
        return options with
        {
            UnkToken = Known("<unk>", options.UnkToken),
            PadToken = Known("<pad>", options.PadToken),
            MaskToken = Known("<mask>", options.MaskToken),
        };

        string Known(string name, string otherwise) =>
            vocabulary.IdOf(name) is not null || options.AddedTokens.Any(token => token.Content == name) ? name : otherwise;
    }

    /// <summary>What the files of settings say; they come after tokenizer.json.</summary>
    private T Configured<T>(T options) where T : TokenizerOptions
    {
        TokenizerOptions configured = options;
        foreach (var name in new[] { TokenizerFileNames.SpecialTokens, TokenizerFileNames.Config })
            configured = Config(name, config => Configure(configured, config, At(name))) ?? configured;
        return (T)configured;
    }

    private T? Config<T>(string name, Func<JsonElement, T?> read)
    {
        if (!All.TryGetValue(name, out var bytes)) return default;
        return Guarded(At(name), () =>
        {
            using var document = JsonDocument.Parse(bytes);
            return read(document.RootElement);
        });
    }

    /// <summary>With the tokens of added_tokens.json, which counts where there is no tokenizer.json.</summary>
    private T WithAdded<T>(T options) where T : TokenizerOptions
    {
        TokenizerOptions known = options;
        return (T)(Config(TokenizerFileNames.AddedTokens, added => known with
        {
            AddedTokens = Union(known.AddedTokens, added.EnumerateObject()
                .OrderBy(token => token.Value.GetInt64()).Select(token => new AddedToken(token.Name) { Normalized = true })),
        }) ?? known);
    }

    private static TokenizerOptions Configure(TokenizerOptions options, JsonElement config, string path)
    {
        if (Value(config, "truncation_side")?.GetString() == "left")
            throw new AttuneException($"{path}: truncation_side is \"left\", but Attune cuts long texts at their end only; set it to \"right\" if that serves as well.");
        if (options is BertTokenizerOptions bert)
            options = bert with
            {
                DoLowerCase = Value(config, "do_lower_case")?.GetBoolean() ?? bert.DoLowerCase,
                StripAccents = Value(config, "strip_accents")?.GetBoolean() ?? bert.StripAccents,
                TokenizeChineseChars = Value(config, "tokenize_chinese_chars")?.GetBoolean() ?? bert.TokenizeChineseChars,
            };
        return options with
        {
            UnkToken = Name("unk_token") ?? options.UnkToken,
            SepToken = Name("sep_token") ?? options.SepToken,
            PadToken = Name("pad_token") ?? options.PadToken,
            ClsToken = Name("cls_token") ?? options.ClsToken,
            MaskToken = Name("mask_token") ?? options.MaskToken,
            ModelMaxLength = Value(config, "model_max_length")?.GetDouble() is { } length and >= 1 and <= int.MaxValue
                ? (int)length : options.ModelMaxLength,
            PaddingSide = Value(config, "padding_side")?.GetString() == "left" ? PaddingSide.Left : options.PaddingSide,
            TokenizerClass = Value(config, "tokenizer_class")?.GetString() ?? options.TokenizerClass,
            AddedTokens = Union(Union(options.AddedTokens, Decoder(config)), Further(config)),
        };

        string? Name(string key) => Value(config, key) is { } value ? Content(value) : null;
    }

    /// <summary>added_tokens_decoder: id to token, in the order of the ids.</summary>
    private static IEnumerable<AddedToken> Decoder(JsonElement config)
    {
        if (Value(config, "added_tokens_decoder") is not { } tokens) return [];
        var decoded = new SortedList<long, AddedToken>();
        foreach (var token in tokens.EnumerateObject())
            decoded[long.Parse(token.Name, System.Globalization.CultureInfo.InvariantCulture)] = TokenizerJson.ReadToken(token.Value);
        return decoded.Values;
    }

    /// <summary>Special tokens of no fixed role: a list in version 4 of transformers, a list or names with tokens in version 5.</summary>
    private static IEnumerable<AddedToken> Further(JsonElement config)
    {
        foreach (var key in new[] { "additional_special_tokens", "extra_special_tokens" })
        {
            if (Value(config, key) is not { } tokens) continue;
            var values = tokens.ValueKind == JsonValueKind.Object ? tokens.EnumerateObject().Select(token => token.Value) : tokens.EnumerateArray();
            foreach (var token in values.ToList()) yield return new AddedToken(Content(token)) { Special = true };
        }
    }

    private static List<AddedToken> Union(IEnumerable<AddedToken> tokens, IEnumerable<AddedToken> further)
    {
        var all = tokens.ToList();
        foreach (var token in further)
            if (all.TrueForAll(known => known.Content != token.Content)) all.Add(token);
        return all;
    }

    private static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new AttuneException($"{path} is damaged ({e.Message.TrimEnd('.')}): download it again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read ({e.Message.TrimEnd('.')}): check the file and its permissions.", e);
        }
    }

    private string At(string name) => Path.Combine(Folder, name);

    /// <summary>A token is written as its text, or as an object that has it as "content".</summary>
    private static string Content(JsonElement token) =>
        (token.ValueKind == JsonValueKind.Object ? token.GetProperty("content") : token).GetString() ?? "";

    private static JsonElement? Value(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
