namespace Attune.Tokenization;

/// <summary>The tokenizer of BERT, DistilBERT, ELECTRA and MPNet: words, cut into the pieces of a vocabulary.</summary>
public sealed class BertTokenizer : Tokenizer
{
    internal BertTokenizer(Vocabulary vocabulary, BertTokenizerOptions options, SequenceTemplate? template, string source)
        : base(vocabulary, options, template, source)
    {
        Options = options;
        var normalizer = new BertNormalizer(
            options.CleanText, options.TokenizeChineseChars, options.StripAccents ?? options.DoLowerCase, options.DoLowerCase);
        var added = new AddedVocabulary(AddedTokens, normalizer.Normal, options.SpecialTokensInText);
        var model = new WordPiece(Model.Ids, options.ContinuingSubwordPrefix, UnkId, options.MaxInputCharsPerWord);
        Encoder = new BertTextEncoder(normalizer, model, added);
    }

    /// <summary>What the tokenizer was made with.</summary>
    public BertTokenizerOptions Options { get; }

    private protected override TextEncoder Encoder { get; }

    private protected override string Kind => $"{Options}";

    /// <summary>Makes a tokenizer from the lines of a vocabulary: the token of line n, counted from 0, has the id n.</summary>
    /// <exception cref="AttuneException">[UNK], [CLS], [SEP] or [PAD] is missing.</exception>
    public static BertTokenizer FromVocabulary(IEnumerable<string> tokens, BertTokenizerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return new BertTokenizer(Vocabulary.FromLines(tokens), options ?? new(), null, "The vocabulary");
    }

    /// <summary>Makes a tokenizer from a vocab.txt.</summary>
    /// <exception cref="AttuneException">The file cannot be read, or [UNK], [CLS], [SEP] or [PAD] is missing.</exception>
    public static BertTokenizer FromVocabulary(string file, BertTokenizerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new BertTokenizer(Vocabulary.FromLines(TokenizerFiles.ReadLines(file)), options ?? new(), null, file);
    }

    /// <summary>Writes vocab.txt, tokenizer.json, tokenizer_config.json and special_tokens_map.json, as transformers reads them.</summary>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    public override void Save(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        BertTokenizerFiles.Write(folder, Model, Options, AddedTokens, Template);
    }

    private protected override string Decoded(IEnumerable<string> tokens) =>
        WordPieceDecoder.Decode(tokens, Options.ContinuingSubwordPrefix, Options.CleanUpTokenizationSpaces);
}
