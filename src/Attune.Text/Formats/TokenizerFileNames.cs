namespace Attune.Formats;

/// <summary>The files that a tokenizer may consist of in a model's folder; each has some of them.</summary>
/// <remarks>One list for all: they are downloaded, kept when a model is saved, and hashed where a run goes on with the same tokenizer only.</remarks>
internal static class TokenizerFileNames
{
    internal const string Whole = "tokenizer.json", Vocabulary = "vocab.txt", Config = "tokenizer_config.json", SpecialTokens = "special_tokens_map.json",
        AddedTokens = "added_tokens.json", BpeVocabulary = "vocab.json", Merges = "merges.txt";

    /// <summary>All of them. Those of SentencePiece are read by transformers' slow tokenizers only.</summary>
    internal static readonly IReadOnlyList<string> All =
    [
        Whole, Config, SpecialTokens, AddedTokens, Vocabulary, BpeVocabulary, Merges, "spiece.model", "sentencepiece.bpe.model", "spm.model", "tokenizer.model",
    ];
}
