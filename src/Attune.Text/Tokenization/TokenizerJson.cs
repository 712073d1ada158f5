using System.Text.Encodings.Web;
using System.Text.Json;

namespace Attune.Tokenization;

/// <summary>Reads and writes the parts of a tokenizer.json that BERT has; the others are <see cref="PipelineJson"/>'s.</summary>
internal static class TokenizerJson
{
    /// <summary>Whether it is a tokenizer of BERT's kind.</summary>
    internal static bool IsBert(JsonElement root) =>
        Part(root, "normalizer") is { } normalizer && Type(normalizer) == "BertNormalizer" && Part(root, "pre_tokenizer") is { } cutter &&
        Type(cutter) == "BertPreTokenizer" && Part(root, "model") is { } model && Type(model) is null or "WordPiece";

    internal static void Write(
        Stream stream, Vocabulary model, BertTokenizerOptions options, IReadOnlyList<NumberedToken> added, SequenceTemplate template)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        foreach (var (token, id) in added.OrderBy(token => token.Id))
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            WriteToken(json, token);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("normalizer");
        json.WriteString("type", "BertNormalizer");
        json.WriteBoolean("clean_text", options.CleanText);
        json.WriteBoolean("handle_chinese_chars", options.TokenizeChineseChars);
        if (options.StripAccents is { } strip) json.WriteBoolean("strip_accents", strip);
        else json.WriteNull("strip_accents");
        json.WriteBoolean("lowercase", options.DoLowerCase);
        json.WriteEndObject();
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "BertPreTokenizer");
        json.WriteEndObject();
        WriteTemplate(json, template);
        json.WriteStartObject("decoder");
        json.WriteString("type", "WordPiece");
        json.WriteString("prefix", options.ContinuingSubwordPrefix);
        json.WriteBoolean("cleanup", options.CleanUpTokenizationSpaces);
        json.WriteEndObject();
        json.WriteStartObject("model");
        json.WriteString("type", "WordPiece");
        json.WriteString("unk_token", options.UnkToken);
        json.WriteString("continuing_subword_prefix", options.ContinuingSubwordPrefix);
        json.WriteNumber("max_input_chars_per_word", options.MaxInputCharsPerWord);
        json.WriteStartObject("vocab");
        foreach (var (token, id) in model.Ids.OrderBy(pair => pair.Value)) json.WriteNumber(token, id);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    internal static void WriteToken(Utf8JsonWriter json, AddedToken token)
    {
        json.WriteString("content", token.Content);
        json.WriteBoolean("single_word", token.SingleWord);
        json.WriteBoolean("lstrip", token.LStrip);
        json.WriteBoolean("rstrip", token.RStrip);
        json.WriteBoolean("normalized", token.Normalized);
        json.WriteBoolean("special", token.Special);
    }

    internal static AddedToken ReadToken(JsonElement token) => new(token.GetProperty("content").GetString() ?? "")
    {
        SingleWord = Flag(token, "single_word"),
        LStrip = Flag(token, "lstrip"),
        RStrip = Flag(token, "rstrip"),
        Normalized = Flag(token, "normalized"),
        Special = Flag(token, "special"),
    };

    /// <summary>The names of special tokens that the parts mention.</summary>
    internal static T Named<T>(T options, JsonElement root, SequenceTemplate? template) where T : TokenizerOptions
    {
        TokenizerOptions named = options;
        if (Part(root, "added_tokens") is { } added) named = named with { AddedTokens = Each(added, ReadToken) };
        if (template?.Single.FirstOrDefault()?.Tokens is [var cls, ..]) named = named with { ClsToken = cls };
        if (template?.Single.LastOrDefault()?.Tokens is [.., var sep]) named = named with { SepToken = sep };
        if (Part(root, "padding") is { } padding && Part(padding, "pad_token")?.GetString() is { } pad) named = named with { PadToken = pad };
        return (T)named;
    }

    /// <summary>BERT's options.</summary>
    internal static BertTokenizerOptions Bert(JsonElement root)
    {
        var (normalizer, model) = (root.GetProperty("normalizer"), root.GetProperty("model"));
        return new BertTokenizerOptions
        {
            CleanText = Flag(normalizer, "clean_text", true),
            TokenizeChineseChars = Flag(normalizer, "handle_chinese_chars", true),
            StripAccents = Part(normalizer, "strip_accents")?.GetBoolean(),
            DoLowerCase = Flag(normalizer, "lowercase", true),
            UnkToken = Part(model, "unk_token")?.GetString() ?? "[UNK]",
            ContinuingSubwordPrefix = Part(model, "continuing_subword_prefix")?.GetString() ?? "##",
            MaxInputCharsPerWord = Part(model, "max_input_chars_per_word")?.GetInt32() ?? 100,
            CleanUpTokenizationSpaces = Part(root, "decoder") is { } how && Flag(how, "cleanup", true),
        };
    }

    /// <summary>Where special tokens stand.</summary>
    /// <exception cref="AttuneException">The post-processor is of an unknown kind.</exception>
    internal static SequenceTemplate Template(JsonElement root, string path)
    {
        if (Part(root, "post_processor") is not { } processor) return SequenceTemplate.None;
        var parts = Type(processor) == "Sequence" ? processor.GetProperty("processors").EnumerateArray() : new[] { processor }.AsEnumerable();
        SequenceTemplate? template = null;
        foreach (var part in parts)
            if (Type(part) != "ByteLevel") template = Kind(part) ?? throw Unsupported(root, "post_processor", path);
        return template ?? SequenceTemplate.None;
    }

    internal static AttuneException Unsupported(JsonElement root, string section, string path) => new(
        $"{path}: the {section} \"{(Part(root, section) is { } part ? Type(part) ?? "of no type" : "null")}\" is not supported; " +
        "take a model whose tokenizer is WordPiece, byte-level BPE or Unigram.");

    private static SequenceTemplate? Kind(JsonElement processor)
    {
        switch (Type(processor))
        {
            case "BertProcessing":
                return SequenceTemplate.Bert(Named("cls"), Named("sep"));
            case "RobertaProcessing":
                return SequenceTemplate.Roberta(Named("cls"), Named("sep"));
            case "TemplateProcessing":
                var tokens = processor.GetProperty("special_tokens");
                return new SequenceTemplate(Parts("single"), Parts("pair"));
                TemplatePart[] Parts(string name) => Each(processor.GetProperty(name), part => PartOf(part, tokens));
            default:
                return null;
        }

        (string, int) Named(string name)
        {
            var pair = processor.GetProperty(name);
            if (pair.GetArrayLength() != 2) throw new JsonException($"\"{name}\" is not a token with its id");
            return (Text(pair[0]), pair[1].GetInt32());
        }
    }

    private static TemplatePart PartOf(JsonElement part, JsonElement tokens)
    {
        if (Part(part, "Sequence") is { } sequence)
            return TemplatePart.Text(sequence.GetProperty("id").GetString() == "A" ? 0 : 1, sequence.GetProperty("type_id").GetInt32());
        var special = part.GetProperty("SpecialToken");
        var name = Text(special.GetProperty("id"));
        var token = tokens.GetProperty(name);
        var ids = token.GetProperty("ids");
        var numbers = new int[ids.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = ids[i].GetInt32();
        return new TemplatePart(-1, special.GetProperty("type_id").GetInt32(), name, numbers, Each(token.GetProperty("tokens"), Text));
    }

    internal static T[] Each<T>(JsonElement array, Func<JsonElement, T> read) where T : class
    {
        var all = new T[array.GetArrayLength()];
        for (var i = 0; i < all.Length; i++) all[i] = read(array[i]);
        return all;
    }

    private static void WriteTemplate(Utf8JsonWriter json, SequenceTemplate template)
    {
        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        foreach (var (name, parts) in new[] { ("single", template.Single), ("pair", template.Pair) })
        {
            json.WriteStartArray(name);
            foreach (var part in parts)
            {
                json.WriteStartObject();
                json.WriteStartObject(part.Sequence < 0 ? "SpecialToken" : "Sequence");
                json.WriteString("id", part.Name);
                json.WriteNumber("type_id", part.TypeId);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteStartObject("special_tokens");
        foreach (var part in template.Single.Concat(template.Pair).Where(part => part.Sequence < 0).DistinctBy(part => part.Name))
        {
            json.WriteStartObject(part.Name);
            json.WriteString("id", part.Name);
            json.WriteStartArray("ids");
            foreach (var id in part.Ids) json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            foreach (var token in part.Tokens) json.WriteStringValue(token);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    internal static string Text(JsonElement value) => value.GetString() ?? throw new JsonException("null where a text belongs");

    internal static string? Type(JsonElement part) => Part(part, "type")?.GetString();

    internal static bool Flag(JsonElement part, string name, bool otherwise = false) => Part(part, name)?.GetBoolean() ?? otherwise;

    internal static JsonElement? Part(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var part) && part.ValueKind != JsonValueKind.Null ? part : null;
}
