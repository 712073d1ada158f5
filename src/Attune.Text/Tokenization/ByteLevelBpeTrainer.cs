using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Tokenization;

/// <summary>Learns a vocabulary of byte-level BPE from text, as RoBERTa has one: starts at the 256 bytes and joins the most frequent neighbours, so that no text is unknown.</summary>
/// <remarks>
/// Behaviour of ByteLevelBPETokenizer.train in the tokenizers library, with a space put before each line. Of equally frequent pairs the one of the lower ids
/// is joined first, so that the same text always gives the same vocabulary, on any number of cores.
/// </remarks>
public static class ByteLevelBpeTrainer
{
    private const string Bos = "<s>", Pad = "<pad>", Eos = "</s>", Unknown = "<unk>", Mask = "<mask>";
    private static readonly string[] Special = [Bos, Pad, Eos, Unknown, Mask];

    /// <summary>Learns a vocabulary and writes it as tokenizer.json and tokenizer_config.json, from which <see cref="Tokenizer.FromPretrained"/> reads it.</summary>
    /// <param name="lines">The text; no word goes over the end of a line.</param>
    /// <param name="folder">Is created where it does not exist.</param>
    /// <param name="options">Size and limits; null for the defaults.</param>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    public static void Train(IEnumerable<string> lines, string folder, ByteLevelBpeTrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(folder);
        options ??= new();
        var pieces = new PieceList(prefix: "");
        foreach (var token in Special) pieces.Add(token);
        var bytes = new int[256];
        for (var value = 0; value < bytes.Length; value++) bytes[value] = pieces.Add(ByteAlphabet.CharOf((byte)value).ToString());
        var words = CountWords(lines, options.Lowercase).Select(word => (System.Text.Encoding.UTF8.GetBytes(word.Key).Select(value => bytes[value]).ToList(), word.Value)).ToList();
        PieceMerger.Merge(words, pieces, options.VocabularySize, options.MinFrequency);
        Write(folder, pieces, options);
    }

    private static List<KeyValuePair<string, long>> CountWords(IEnumerable<string> lines, bool lowers) => WordCounts.Of(lines, (part, counts) =>
    {
        var lower = lowers ? new Lowercase() : null;
        foreach (var line in part)
        {
            var text = " " + (lower?.Normal(line) ?? line);
            for (int at = 0, end; at < text.Length; at = end)
            {
                end = ByteLevelWords.EndOfWord(text, at);
                counts.Add(text.AsSpan(at..end));
            }
        }
    });

    private static void Write(string folder, PieceList pieces, ByteLevelBpeTrainerOptions options)
    {
        AtomicFile.CreateFolder(folder);
        var (vocabulary, merges) = (new JsonObject(), new JsonArray());
        foreach (var (id, token) in pieces.Tokens.Index()) vocabulary[token] = id;
        foreach (var (left, right) in pieces.Joins) merges.Add(new JsonArray(left, right));
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. Special.Select((token, id) => Added(token, id))]),
            ["normalizer"] = options.Lowercase ? new JsonObject { ["type"] = "Lowercase" } : null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = new JsonObject
            {
                ["type"] = "RobertaProcessing",
                ["sep"] = new JsonArray(Eos, pieces.IdOf(Eos)),
                ["cls"] = new JsonArray(Bos, pieces.IdOf(Bos)),
                ["trim_offsets"] = true,
                ["add_prefix_space"] = true,
            },
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = merges,
            },
        };
        AtomicFile.WriteText(Path.Combine(folder, TokenizerFileNames.Whole), PythonJson.Write(json, indent: 2, ensureAscii: false));
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = Bos,
            ["cls_token"] = Bos,
            ["eos_token"] = Eos,
            ["sep_token"] = Eos,
            ["pad_token"] = Pad,
            ["unk_token"] = Unknown,
            ["mask_token"] = Mask,
            ["clean_up_tokenization_spaces"] = false,
        };
        if (options.ModelMaxLength is { } length) config["model_max_length"] = length;
        AtomicFile.WriteText(Path.Combine(folder, TokenizerFileNames.Config), PythonJson.Write(config, indent: 2) + "\n");
    }

    private static JsonObject Added(string token, int id) => new()
    {
        ["id"] = id,
        ["content"] = token,
        ["single_word"] = false,
        ["lstrip"] = token == Mask,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };

    private static JsonObject ByteLevel() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true };
}
