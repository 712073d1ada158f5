using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Formats;

namespace Attune.Tokenization;

/// <summary>The files of a tokenizer in a model's folder, in the layout of the Hugging Face hub.</summary>
internal static class TokenizerFiles
{
    internal const string TokenizerFile = "tokenizer.json", VocabularyFile = "vocab.txt", ConfigFile = "tokenizer_config.json",
        SpecialTokensFile = "special_tokens_map.json";

    private const string AddedTokensFile = "added_tokens.json";

    // int(1e30) in Python: how transformers writes "no limit".
    private const string NoLimit = "1000000000000000019884624838656";

    /// <exception cref="AttuneException">The folder or the vocabulary is missing, or a file is damaged or of another kind.</exception>
    internal static TokenizerParts Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder} is not a folder: give the folder of a model.");
        var (json, vocabulary) = (Path.Combine(folder, TokenizerFile), Path.Combine(folder, VocabularyFile));
        var parts = File.Exists(json) ? TokenizerJson.Read(json)
            : File.Exists(vocabulary) ? new TokenizerParts(Vocabulary.FromLines(ReadLines(vocabulary)), new BertTokenizerOptions(), null)
            : throw new AttuneException($"{folder} holds neither {TokenizerFile} nor {VocabularyFile}: download the model again.");
        var options = parts.Options;
        foreach (var name in new[] { SpecialTokensFile, ConfigFile })
            if (Json(Path.Combine(folder, name)) is { } document)
                using (document) options = Guarded(Path.Combine(folder, name), () => Configure(options, document.RootElement, Path.Combine(folder, name)));
        if (!File.Exists(json) && Json(Path.Combine(folder, AddedTokensFile)) is { } added)
            using (added)
                options = Guarded(Path.Combine(folder, AddedTokensFile), () => options with
                {
                    AddedTokens = Union(options.AddedTokens, added.RootElement.EnumerateObject()
                        .OrderBy(token => token.Value.GetInt64()).Select(token => new AddedToken(token.Name) { Normalized = true })),
                });
        return parts with { Options = options };
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

    internal static void Write(
        string folder, Vocabulary model, BertTokenizerOptions options, IReadOnlyList<NumberedToken> added, SequenceTemplate template)
    {
        AtomicFile.CreateFolder(folder);
        var lines = new StringBuilder();
        for (var id = 0; id < model.Size; id++)
            lines.Append(model.TokenOf(id) is { } token && !token.Contains('\n', StringComparison.Ordinal) ? token : $"[unused id {id}]").Append('\n');
        AtomicFile.WriteText(Path.Combine(folder, VocabularyFile), lines.ToString());
        AtomicFile.Write(Path.Combine(folder, TokenizerFile), stream => TokenizerJson.Write(stream, model, options, added, template));
        AtomicFile.Write(Path.Combine(folder, SpecialTokensFile), stream =>
        {
            using var json = Writer(stream);
            json.WriteStartObject();
            WriteNames(json, options);
            json.WriteEndObject();
        });
        AtomicFile.Write(Path.Combine(folder, ConfigFile), stream => WriteConfig(stream, options, added));
    }

    private static BertTokenizerOptions Configure(BertTokenizerOptions options, JsonElement config, string path)
    {
        if (Value(config, "truncation_side")?.GetString() == "left")
            throw new AttuneException($"{path}: truncation_side is \"left\", but Attune cuts long texts at their end only; set it to \"right\" if that serves as well.");
        return options with
        {
            UnkToken = Name("unk_token") ?? options.UnkToken,
            SepToken = Name("sep_token") ?? options.SepToken,
            PadToken = Name("pad_token") ?? options.PadToken,
            ClsToken = Name("cls_token") ?? options.ClsToken,
            MaskToken = Name("mask_token") ?? options.MaskToken,
            DoLowerCase = Value(config, "do_lower_case")?.GetBoolean() ?? options.DoLowerCase,
            StripAccents = Value(config, "strip_accents")?.GetBoolean() ?? options.StripAccents,
            TokenizeChineseChars = Value(config, "tokenize_chinese_chars")?.GetBoolean() ?? options.TokenizeChineseChars,
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

    private static void WriteConfig(Stream stream, BertTokenizerOptions options, IReadOnlyList<NumberedToken> added)
    {
        using var json = Writer(stream);
        json.WriteStartObject();
        json.WriteStartObject("added_tokens_decoder");
        foreach (var (token, id) in added.OrderBy(token => token.Id))
        {
            json.WriteStartObject(id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            TokenizerJson.WriteToken(json, token);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteBoolean("clean_up_tokenization_spaces", options.CleanUpTokenizationSpaces);
        json.WriteBoolean("do_lower_case", options.DoLowerCase);
        json.WritePropertyName("model_max_length");
        if (options.ModelMaxLength is { } length) json.WriteNumberValue(length);
        else json.WriteRawValue(NoLimit);
        json.WriteString("padding_side", options.PaddingSide == PaddingSide.Left ? "left" : "right");
        if (options.StripAccents is { } strip) json.WriteBoolean("strip_accents", strip);
        else json.WriteNull("strip_accents");
        json.WriteBoolean("tokenize_chinese_chars", options.TokenizeChineseChars);
        json.WriteString("tokenizer_class", options.TokenizerClass);
        WriteNames(json, options);
        json.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter json, BertTokenizerOptions options)
    {
        json.WriteString("cls_token", options.ClsToken);
        json.WriteString("mask_token", options.MaskToken);
        json.WriteString("pad_token", options.PadToken);
        json.WriteString("sep_token", options.SepToken);
        json.WriteString("unk_token", options.UnkToken);
    }

    private static Utf8JsonWriter Writer(Stream stream) =>
        new(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static JsonDocument? Json(string path) =>
        !File.Exists(path) ? null : Guarded(path, () => JsonDocument.Parse(File.ReadAllBytes(path)));

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

    /// <summary>A token is written as its text, or as an object that has it as "content".</summary>
    private static string Content(JsonElement token) =>
        (token.ValueKind == JsonValueKind.Object ? token.GetProperty("content") : token).GetString() ?? "";

    private static JsonElement? Value(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
