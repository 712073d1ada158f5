using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Attune.Formats;

namespace Attune.Tokenization;

/// <summary>Text to the ids of a model and back: the same ids and places as Hugging Face's fast tokenizer gives.</summary>
/// <remarks>It can be used by any number of threads at once. The result depends on no setting of the machine.</remarks>
public abstract partial class Tokenizer
{
    private readonly Vocabulary _all;
    private readonly SequenceTemplate _template;

    /// <summary>Numbers the added tokens and finds the special ones.</summary>
    /// <param name="model">The vocabulary, without added tokens that it lacks.</param>
    /// <param name="options">Names of the special tokens and the like.</param>
    /// <param name="template">Where special tokens stand; null for BERT's places.</param>
    /// <param name="source">The file or folder, for messages.</param>
    private protected Tokenizer(Vocabulary model, TokenizerOptions options, SequenceTemplate? template, string source)
    {
        (Model, Named) = (model, options);
        AddedTokens = NumberAddedTokens(model, options);
        _all = model.With(AddedTokens);
        UnkId = Required(options.UnkToken, "unk_token");
        ClsId = Required(options.ClsToken, "cls_token");
        SepId = Required(options.SepToken, "sep_token");
        PadId = Required(options.PadToken, "pad_token");
        MaskId = _all.IdOf(options.MaskToken);
        _template = template ?? SequenceTemplate.Bert((options.ClsToken, ClsId), (options.SepToken, SepId));

        int Required(string token, string role) => _all.IdOf(token) ?? throw new AttuneException(
            $"{source} has no \"{token}\", the {role}: add it to the vocabulary, or name the token meant as {role} in tokenizer_config.json.");
    }

    /// <summary>The vocabulary of the model, without the added tokens that it lacks.</summary>
    private protected Vocabulary Model { get; }

    /// <summary>The added tokens with their ids.</summary>
    private protected IReadOnlyList<NumberedToken> AddedTokens { get; }

    /// <summary>Where the special tokens stand.</summary>
    private protected SequenceTemplate Template => _template;

    /// <summary>Names of the special tokens and what else all kinds of tokenizers have.</summary>
    private protected TokenizerOptions Named { get; }

    /// <summary>Cuts a text into tokens.</summary>
    private protected abstract TextEncoder Encoder { get; }

    /// <summary>What ids depend on besides the vocabulary, the added tokens and the template.</summary>
    private protected abstract string Kind { get; }

    /// <summary>The greatest id plus one: rows that the model's embedding needs.</summary>
    public int VocabularySize => _all.Size;

    /// <summary>The longest input of the model, special tokens included; null where it is unlimited or unknown.</summary>
    public int? ModelMaxLength => Named.ModelMaxLength;

    /// <summary>Id of the token for unknown words.</summary>
    public int UnkId { get; }

    /// <summary>Id of the token in front of every input.</summary>
    public int ClsId { get; }

    /// <summary>Id of the token behind every sequence.</summary>
    public int SepId { get; }

    /// <summary>Id of the padding.</summary>
    public int PadId { get; }

    /// <summary>Id of the token that hides a word; null where the vocabulary has none.</summary>
    public int? MaskId { get; }

    /// <summary>Ids of all special tokens, in ascending order.</summary>
    public IReadOnlyList<int> SpecialIds =>
        [.. AddedTokens.Where(token => token.Token.Special).Select(token => token.Id).Distinct().Order()];

    /// <summary>All that ids depend on, for a key of what was tokenized: the vocabulary, every option, the added tokens and the template.</summary>
    internal string Fingerprint()
    {
        var text = new StringBuilder(1 << 18).Append(Kind).Append('\n');
        foreach (var (token, id) in AddedTokens) text.Append(token).Append(id).Append('\n');
        foreach (var part in (TemplatePart[])[.. _template.Single, .. _template.Pair])
            text.Append(part.Sequence).Append(' ').Append(part.TypeId).Append(' ').AppendJoin(' ', part.Ids).Append('\n');
        for (var id = 0; id < Model.Size; id++) text.Append(Model.TokenOf(id)).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(text.ToString().AsSpan())));
    }

    /// <summary>Whether a folder has the files of a tokenizer.</summary>
    internal static bool IsIn(string folder) =>
        new[] { TokenizerFileNames.Whole, TokenizerFileNames.Vocabulary, TokenizerFileNames.BpeVocabulary }.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Loads the tokenizer of a model's folder: tokenizer.json where it is, else vocab.txt, or vocab.json with merges.txt; with tokenizer_config.json.</summary>
    /// <param name="folder">A folder in the layout of the Hugging Face hub.</param>
    /// <param name="specialTokensInText">What the text "[SEP]", written by a user, means.</param>
    /// <exception cref="AttuneException">A file is missing or damaged, or has a part that Attune does not have.</exception>
    public static Tokenizer FromPretrained(string folder, SpecialTokensInText specialTokensInText = SpecialTokensInText.AsText)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return TokenizerFiles.Read(folder, specialTokensInText);
    }

    /// <summary>Writes the tokenizer's files, as transformers reads them.</summary>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    public abstract void Save(string folder);

    /// <summary>The id of a token, or null.</summary>
    public int? TokenToId(string token) => _all.IdOf(token);

    /// <summary>The token of an id, or null.</summary>
    public string? IdToToken(int id) => _all.TokenOf(id);

    /// <summary>Encodes one text.</summary>
    /// <exception cref="AttuneException">The length allowed has no room for the special tokens.</exception>
    public Encoding Encode(string text, EncodeOptions? options = null) => Encode(text, null, options);

    /// <summary>Encodes a text, or a pair of texts where <paramref name="pair"/> is given.</summary>
    /// <exception cref="AttuneException">The length allowed cannot be kept by the strategy chosen.</exception>
    public Encoding Encode(string text, string? pair, EncodeOptions? options = null)
    {
        options ??= new();
        var encoding = EncodeUnpadded(text, pair, options);
        return encoding.Padded(PaddedLength(encoding.Length, options), options.PaddingSide ?? Named.PaddingSide, PadId);
    }

    /// <summary>Encodes many texts, or pairs where <paramref name="pairs"/> is given, on all cores unless told otherwise.</summary>
    /// <exception cref="AttuneException">The length allowed cannot be kept by the strategy chosen.</exception>
    public IReadOnlyList<Encoding> EncodeBatch(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs = null, EncodeOptions? options = null)
    {
        CheckBatch(texts, pairs);
        options ??= new();
        var rows = new Encoding[texts.Count];
        Parts(texts, pairs).Run(options.MaxDegreeOfParallelism, (from, to) =>
        {
            for (var i = from; i < to; i++) rows[i] = EncodeUnpadded(texts[i], pairs?[i], options);
        });
        if (options.Padding == PaddingStrategy.DoNotPad || rows.Length == 0) return rows;
        var length = PaddedLength(rows.Max(row => row.Length), options);
        return [.. rows.Select(row => row.Padded(length, options.PaddingSide ?? Named.PaddingSide, PadId))];
    }

    /// <summary>Encodes many texts or pairs into one row of ids without padding, on all cores unless told otherwise: the fast way to a batch.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="pairs">The second text of each row, or null.</param>
    /// <param name="options">Truncation and special tokens; padding is not asked for.</param>
    /// <exception cref="AttuneException">The length allowed cannot be kept by the strategy chosen.</exception>
    public PackedEncodings EncodePacked(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs = null, EncodeOptions? options = null)
    {
        CheckBatch(texts, pairs);
        options ??= new();
        var writer = new PackedWriter(texts.Count, pairs is not null);
        Parts(texts, pairs).Run(options.MaxDegreeOfParallelism, (from, to) =>
        {
            var part = writer.Begin(from);
            var scratch = Scratch.Current;
            for (var i = from; i < to; i++)
            {
                var (first, second) = Tokenize(texts[i], pairs?[i], options, withOffsets: false, scratch);
                if (pairs is null) part.Add(_template.Single, scratch.Tokens.Ids[..first], [], options.AddSpecialTokens);
                else part.Add(_template.Pair, scratch.First.Ids[..first], scratch.Tokens.Ids[..second], options.AddSpecialTokens);
            }
        });
        return writer.Finish(options.MaxDegreeOfParallelism);
    }

    /// <summary>Writes the ids of one text with its special tokens, cut to the room there is. Allocates nothing.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">Where the ids go.</param>
    /// <param name="maxLength">At most so many ids, special tokens included.</param>
    /// <returns>Number of ids written.</returns>
    /// <exception cref="AttuneException">There is no room for the special tokens.</exception>
    public int EncodeIds(ReadOnlySpan<char> text, Span<int> ids, int maxLength = int.MaxValue)
    {
        var room = Room(Math.Min(ids.Length, maxLength), _template.SingleAdded);
        var count = 0;
        foreach (var part in _template.Single)
        {
            if (part.Sequence >= 0) count += Encoder.Encode(text, ids.Slice(count, room), Scratch.Current);
            else
            {
                part.Ids.CopyTo(ids[count..]);
                count += part.Ids.Length;
            }
        }
        return count;
    }

    /// <summary>Puts the tokens of the ids together to a text. Ids that the vocabulary lacks are left out.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Leave [CLS], [SEP], [PAD] and their like out.</param>
    /// <param name="cleanUpTokenizationSpaces">Then also undo spaces over the whole text, as transformers' decode does.</param>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = false, bool cleanUpTokenizationSpaces = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var text = Decoded(ids.Select(id => Encoder.Added.Decoded(id) ?? Model.TokenOf(id))
            .OfType<string>()
            .Where(token => !skipSpecialTokens || !Encoder.Added.IsSpecial(token)));
        return cleanUpTokenizationSpaces ? WordPieceDecoder.CleanUp(text) : text;
    }

    /// <summary>Puts tokens together.</summary>
    private protected abstract string Decoded(IEnumerable<string> tokens);

    /// <summary>Where a token stands once spaces at its ends are left out, for tokenizers that do so.</summary>
    /// <param name="id">The token.</param>
    /// <param name="number">Its number within its text.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="text">The text.</param>
    private protected virtual (int Start, int End) Trimmed(int id, int number, (int Start, int End) place, string text) => place;

    /// <summary>Added tokens with their ids: of the vocabulary where it has them, else the next ones; the special ones come last.</summary>
    private static List<NumberedToken> NumberAddedTokens(Vocabulary model, TokenizerOptions options)
    {
        var tokens = new List<NumberedToken>();
        var next = model.Size;
        foreach (var token in options.AddedTokens)
        {
            if (token.Content.Length == 0) continue;
            var known = tokens.FindIndex(other => other.Token.Content == token.Content);
            if (known >= 0) tokens[known] = new NumberedToken(token, tokens[known].Id);
            else tokens.Add(new NumberedToken(token, model.IdOf(token.Content) ?? next++));
        }
        foreach (var name in new[] { options.UnkToken, options.SepToken, options.PadToken, options.ClsToken, options.MaskToken })
            if (model.IdOf(name) is { } id && tokens.TrueForAll(token => token.Token.Content != name))
                tokens.Add(new NumberedToken(new AddedToken(name) { Special = true }, id));
        return tokens;
    }

    private static void CheckBatch(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (pairs is not null && pairs.Count != texts.Count)
            throw new ArgumentException($"There are {texts.Count} texts and {pairs.Count} second texts.", nameof(pairs));
    }

    private static RowParts Parts(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs) =>
        new(texts.Count, row => (texts[row]?.Length ?? 0) + (pairs?[row]?.Length ?? 0));

    private static int Room(int maxLength, int special) => maxLength >= special ? maxLength - special : throw new AttuneException(
        $"A length of {maxLength} has no room for the {special} special tokens: choose a max_length of at least {special}.");

    /// <summary>Tokenizes; the first text of a pair ends up in <see cref="Scratch.First"/>. Returns how many tokens of each stay.</summary>
    private (int First, int Second) Tokenize(string text, string? pair, EncodeOptions options, bool withOffsets, Scratch scratch)
    {
        var maxLength = options.Truncation == TruncationStrategy.DoNotTruncate ? null : options.MaxLength ?? ModelMaxLength;
        // The Rust tokenizer stops at the word that reaches max_length, and longest_first compares the lengths found so far.
        var limit = maxLength ?? int.MaxValue;
        Encoder.Encode(text, options.Truncation == TruncationStrategy.OnlySecond ? int.MaxValue : limit, withOffsets, scratch);
        int first = scratch.Tokens.Count, added = _template.SingleAdded;
        int? second = null;
        if (pair is not null)
        {
            scratch.Swap();
            Encoder.Encode(pair, limit, withOffsets, scratch);
            (second, added) = (scratch.Tokens.Count, _template.PairAdded);
        }
        return maxLength is not { } length
            ? (first, second ?? 0)
            : Truncation.Fit(first, second, Room(length, options.AddSpecialTokens ? added : 0), options.Truncation);
    }

    private Encoding EncodeUnpadded(string text, string? pair, EncodeOptions options)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (first, second) = Tokenize(text, pair, options, withOffsets: true, Scratch.Current);
        return Encoded(text, pair, (0, first), (0, second), options.AddSpecialTokens);
    }

    /// <summary>A row of some of the tokens that were found last: where they begin in each text, and how many they are.</summary>
    private Encoding Encoded(string text, string? pair, (int From, int Count) first, (int From, int Count) second, bool addSpecialTokens)
    {
        var scratch = Scratch.Current;
        var template = pair is null ? _template.Single : _template.Pair;
        var special = addSpecialTokens ? pair is null ? _template.SingleAdded : _template.PairAdded : 0;
        var length = first.Count + second.Count + special;
        var (ids, types, offsets) = (new int[length], new int[length], new (int, int)[length]);
        var (sequences, specials, attention) = (new int[length], new int[length], new int[length]);
        var at = 0;
        foreach (var part in template)
        {
            if (part.Sequence < 0 && !addSpecialTokens) continue;
            var tokens = part.Sequence == 0 && pair is not null ? scratch.First : scratch.Tokens;
            var (from, count) = part.Sequence < 0 ? (0, part.Ids.Length) : part.Sequence == 0 ? first : second;
            var source = part.Sequence < 0 ? part.Ids : tokens.Ids;
            for (var i = from; i < from + count; i++, at++)
            {
                (ids[at], types[at], sequences[at], attention[at]) = (source[i], part.TypeId, part.Sequence, 1);
                if (part.Sequence < 0) specials[at] = 1;
                else offsets[at] = Trimmed(source[i], i - from, (tokens.Starts[i], tokens.Ends[i]), part.Sequence == 0 ? text : pair!);
            }
        }
        return new Encoding(
            ids, types, offsets, sequences, specials, attention, pair is null ? [text] : [text, pair], id => IdToToken(id) ?? Named.UnkToken);
    }

    private int PaddedLength(int longest, EncodeOptions options)
    {
        if (options.Padding == PaddingStrategy.DoNotPad) return longest;
        var length = options.Padding == PaddingStrategy.MaxLength ? options.MaxLength ?? ModelMaxLength ?? longest : longest;
        var multiple = options.PadToMultipleOf ?? 1;
        if (multiple < 1) throw new AttuneException($"pad_to_multiple_of is {multiple}; it must be 1 or more.");
        return (length + multiple - 1) / multiple * multiple;
    }
}
