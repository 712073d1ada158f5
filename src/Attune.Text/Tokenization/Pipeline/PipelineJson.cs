using System.Text.Json;
using Attune.Formats;

namespace Attune.Tokenization;

/// <summary>Reads tokenizer.json of other kinds than BERT's.</summary>
/// <remarks>A part that Attune does not have is refused by its name: another result in its place would go unnoticed.</remarks>
internal sealed class PipelineJson(JsonElement root, string path)
{
    /// <exception cref="AttuneException">A part is of an unknown kind.</exception>
    internal PipelineParts Read()
    {
        var model = TokenizerJson.Part(root, "model") ?? throw Unsupported("model");
        var kind = TokenizerJson.Type(model) ?? (model.GetProperty("vocab").ValueKind == JsonValueKind.Array ? "Unigram" : "BPE");
        var cutters = Each("pre_tokenizer", "pretokenizers");
        var (vocabulary, words) = kind switch
        {
            "BPE" => Bpe(model, cutters),
            "Unigram" => Unigram(model, cutters),
            _ => throw Unsupported("model"),
        };
        var normalizers = Each("normalizer", "normalizers").Select(Normalizer).ToList();
        return new PipelineParts(
            vocabulary, normalizers.Count switch { 0 => null, 1 => normalizers[0], _ => new NormalizerSequence(normalizers) }, words,
            TokenizerJson.Template(root, path), Decoder(), Trim());
    }

    /// <summary>Merges, written as "a b" or as ["a", "b"].</summary>
    internal static List<(string, string)> Merges(IEnumerable<JsonElement> merges) => [.. merges.Select(merge =>
        merge.ValueKind == JsonValueKind.Array ? (TokenizerJson.Text(Of(merge, 0, "merge")), TokenizerJson.Text(Of(merge, 1, "merge"))) : Merge(TokenizerJson.Text(merge)))];

    /// <summary>The two pieces of a line of merges.txt.</summary>
    internal static (string First, string Second) Merge(string line)
    {
        var gap = line.IndexOf(' ', StringComparison.Ordinal);
        return gap > 0 && gap < line.Length - 1 ? (line[..gap], line[(gap + 1)..]) : throw new FormatException($"the merge \"{line}\" is not of two pieces");
    }

    private static JsonElement Of(JsonElement both, int index, string what) => both.GetArrayLength() == 2
        ? both[index] : throw new FormatException($"a {what} has {both.GetArrayLength()} parts in place of two");

    private (Vocabulary, Func<IReadOnlySet<string>, WordEncoder>) Bpe(JsonElement model, IReadOnlyList<JsonElement> cutters)
    {
        if (cutters is not [var cutter] || TokenizerJson.Type(cutter) != "ByteLevel") throw Unsupported("pre_tokenizer");
        foreach (var option in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
            if (TokenizerJson.Part(model, option)?.GetString() is { Length: > 0 }) throw Unsupported("model", option);
        if (TokenizerJson.Flag(model, "byte_fallback")) throw Unsupported("model", "byte_fallback");
        if (TokenizerJson.Flag(model, "fuse_unk")) throw Unsupported("model", "fuse_unk");
        var vocabulary = Vocabulary.FromJson(model.GetProperty("vocab"), path);
        var unknown = TokenizerJson.Part(model, "unk_token")?.GetString() is { } token ? vocabulary.IdOf(token) : null;
        var bpe = new ByteLevelBpe(vocabulary.Ids, Merges(model.GetProperty("merges").EnumerateArray()), unknown, TokenizerJson.Flag(model, "ignore_merges"));
        var words = new ByteLevelWords(bpe, TokenizerJson.Flag(cutter, "add_prefix_space", true), TokenizerJson.Flag(cutter, "use_regex", true));
        return (vocabulary, _ => words);
    }

    private (Vocabulary, Func<IReadOnlySet<string>, WordEncoder>) Unigram(JsonElement model, IReadOnlyList<JsonElement> cutters)
    {
        if (TokenizerJson.Flag(model, "byte_fallback")) throw Unsupported("model", "byte_fallback");
        var splits = cutters is [var first, _] && TokenizerJson.Type(first) == "WhitespaceSplit";
        if (cutters.Count != (splits ? 2 : 1) || TokenizerJson.Type(cutters[^1]) != "Metaspace") throw Unsupported("pre_tokenizer");
        var (mark, prepend, split) = Metaspace(cutters[^1]);
        var vocabulary = Vocabulary.FromLines(model.GetProperty("vocab").EnumerateArray().Select(piece => TokenizerJson.Text(Of(piece, 0, "piece"))));
        var scores = model.GetProperty("vocab").EnumerateArray().Select(piece => RustFloat.Parse(Of(piece, 1, "piece").GetRawText())).ToArray();
        var unknown = TokenizerJson.Part(model, "unk_id")?.GetInt32() ?? throw Unsupported("model", "without unk_id");
        if (unknown < 0 || unknown >= scores.Length) throw new FormatException($"unk_id is {unknown}, but there are {scores.Length} pieces");
        return (vocabulary, never => new MetaspaceWords(
            new Unigram(vocabulary.Ids.Where(piece => !never.Contains(piece.Key)).ToDictionary(StringComparer.Ordinal), scores, unknown),
            mark, prepend, split, splits));
    }

    private (char Mark, PrependScheme Prepend, bool Split) Metaspace(JsonElement part)
    {
        var mark = TokenizerJson.Text(part.GetProperty("replacement"));
        if (mark.Length != 1) throw Unsupported("pre_tokenizer", "replacement");
        // The older spelling says whether, the newer one when.
        var scheme = TokenizerJson.Part(part, "prepend_scheme")?.GetString() ?? (TokenizerJson.Flag(part, "add_prefix_space", true) ? "always" : "never");
        return (mark[0], scheme switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw Unsupported("pre_tokenizer", "prepend_scheme"),
        }, TokenizerJson.Flag(part, "split", true));
    }

    private Normalizer Normalizer(JsonElement part) => TokenizerJson.Type(part) switch
    {
        "NFC" => new UnicodeForm(compatible: false, compose: true),
        "NFD" => new UnicodeForm(compatible: false, compose: false),
        "NFKC" => new UnicodeForm(compatible: true, compose: true),
        "NFKD" => new UnicodeForm(compatible: true, compose: false),
        "Lowercase" => new Lowercase(),
        "StripAccents" => new StripAccents(),
        "Strip" => new Strip(TokenizerJson.Flag(part, "strip_left", true), TokenizerJson.Flag(part, "strip_right", true)),
        "Prepend" => new Prepend(TokenizerJson.Text(part.GetProperty("prepend"))),
        "Precompiled" => new Precompiled(Convert.FromBase64String(TokenizerJson.Text(part.GetProperty("precompiled_charsmap")))),
        "Replace" => Replace(part),
        _ => throw Unsupported("normalizer", TokenizerJson.Type(part)),
    };

    private Replace Replace(JsonElement part)
    {
        var (pattern, content) = (part.GetProperty("pattern"), TokenizerJson.Text(part.GetProperty("content")));
        if (TokenizerJson.Part(pattern, "String")?.GetString() is { Length: > 0 } text) return new Replace(text, 0, content);
        var regex = TokenizerJson.Part(pattern, "Regex")?.GetString() ?? "";
        // Of the patterns there are in use: a character of no meaning, that often or oftener.
        return regex is [var c, '{', >= '1' and <= '9' and var least, ',', '}'] && !@"\.[]()*+?|^$".Contains(c, StringComparison.Ordinal)
            ? new Replace(c.ToString(), least - '0', content)
            : throw Unsupported("normalizer", $"Replace with the pattern {Shown.Of(regex)}");
    }

    private Func<IEnumerable<string>, string> Decoder()
    {
        if (TokenizerJson.Part(root, "decoder") is not { } decoder) return TokenDecoder.Plain;
        switch (TokenizerJson.Type(decoder))
        {
            case "ByteLevel": return TokenDecoder.ByteLevel;
            case "Metaspace":
                var (mark, prepend, _) = Metaspace(decoder);
                return tokens => TokenDecoder.Metaspace(tokens, mark, prepend != PrependScheme.Never);
            default: throw Unsupported("decoder");
        }
    }

    private OffsetTrim? Trim()
    {
        OffsetTrim? trim = null;
        foreach (var part in Each("post_processor", "processors"))
            if (TokenizerJson.Type(part) is "RobertaProcessing" or "ByteLevel" && TokenizerJson.Flag(part, "trim_offsets", true))
                trim = new OffsetTrim(TokenizerJson.Flag(part, "add_prefix_space", true));
        return trim;
    }

    private IReadOnlyList<JsonElement> Each(string section, string parts) => TokenizerJson.Part(root, section) switch
    {
        null => [],
        { } part when TokenizerJson.Type(part) == "Sequence" => [.. part.GetProperty(parts).EnumerateArray()],
        { } part => [part],
    };

    private AttuneException Unsupported(string section, string? what = null) => what is null
        ? TokenizerJson.Unsupported(root, section, path)
        : new($"{path}: the {section} has {what}, which is not supported; take a model whose tokenizer is WordPiece, byte-level BPE or Unigram of the usual make.");
}
